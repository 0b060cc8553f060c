"""The words of column names, and the kind each phrase stands for: English, and the commonest Spanish and German ones."""

# ruff: noqa: SIM905 - word lists read best as words

PERSON = frozenset(
    """patient pt pat person people subject member customer client cust employee emp student pupil participant
    respondent insured beneficiary bene enrollee user resident applicant donor citizen voter individual subscriber
    paciente persona cliente empleado alumno asegurado mitarbeiter kunde kunden schueler versicherter patienten
    patientin""".split()
)
"""Whom the data is about."""

STAFF = frozenset(
    """provider doctor physician nurse teacher practitioner clinician surgeon author parent mother father spouse guardian
    prvdr physn prov medico arzt manager supervisor lehrer officer agent adviser advisor profesor""".split()
)
"""People, but hardly those whom the data is about."""

EVENT = frozenset(
    """encounter visit stay admission case claim order record rec row appointment transaction trans event episode
    accession specimen sample prescription rx booking invoice payment line result report hadm csn referral session
    registration application ticket note document message entry request careplan study series instance
    fall aufenthalt aufnahme auftrag consulta visita ingreso episodio factura folio""".split()
)
"""A key of one of these is new in almost every row, and stands in other systems too."""

PLACE = frozenset(
    """hospital clinic facility organization organisation org site department dept ward unit location branch school
    bank store office practice building room bed center centre company institution region station abteilung klinik
    krankenhaus schule filiale sucursal centro escuela hospitalname""".split()
)
"""What people share, and where they are."""

SHARED = frozenset(
    "payer payor insurer carrier product item plan drug medication procedure course vendor supplier".split()
)
"""A key of one of these is shared by many people."""

CODED = frozenset(
    """type status category class source disposition mode level flag kind group reason method priority
    version typ art kategorie tipo estado""".split()
)
"""A code with one of these before it is a category."""

KEY = frozenset(
    "id ids uid key nr no num number uuid guid identifier pk sk nbr code ident nummer numero num fk".split()
)
"""What ends the name of a key."""

PHRASES: dict[str, str] = {
    "person_name": """full name;patient name;pt nm;pt name;person name;customer name;client name;employee name;emp name;
        student name;member name;name of patient;name;nm;display name;contact name;doctor name;physician name;provider name;
        attending;attending physician;referring physician;surgeon name;teacher name;guardian name;parent name;mother name;
        father name;next of kin;emergency contact;account holder;holder name;contact person;nombre completo;nombre paciente;
        vollstaendiger name;patientenname;hausarzt;doctor;physician;md;attending md;kontoinhaber;ansprechpartner;kontaktperson;signature;signed by;author name""",
    "given_name": """first name;given name;first;fname;f name;forename;christian name;given;fst nm;first nm;nombre;nombres;
        vorname;rufname;preferred name;nickname;firstname;primer nombre""",
    "family_name": """last name;family name;surname;last;lname;l name;lst nm;last nm;maiden;maiden name;birth name;family;
        apellido;apellidos;primer apellido;segundo apellido;nachname;familienname;geburtsname;name familie;lastname;
        mother maiden name;second name""",
    "middle_name": "middle name;middle initial;mi;middle;mname;m name;mid init;initials;initial;zweiter vorname",
    "name_affix": """prefix;suffix;title;salutation;honorific;name prefix;name suffix;anrede;titel;namenszusatz""",
    "street_address": """street address;address;addr;address line;addr line;street;street name;street number;street no;house number;
        house no;home address;mailing address;postal address;residence;apartment;apt;unit number;po box;location address;
        direccion;calle;domicilio;adresse;strasse;anschrift;hausnummer;str;str hnr;hausnr;numero casa;residential address""",
    "city": """city;town;suburb;village;municipality;locality;place;city name;home city;ciudad;municipio;localidad;poblacion;
        ort;wohnort;stadt;gemeinde;ortsteil;neighborhood;neighbourhood;borough;quarter""",
    "county": """county;district;census tract;tract;block group;fips;fips code;puma;parish;congressional district;county fips;
        geoid;landkreis;kreis;bezirk;distrito;comarca;provincia;ward of residence;msa;cbsa;precinct;division;region;area""",
    "state": "state;province;st;state code;state abbrev;home state;state of residence;us state;estado federal;bundesland;land kreis;federal state",
    "birth_place": "birth place;place of birth;birth city;birth country;country of birth;lugar nacimiento;geburtsort;native city;pobp",
    "postcode": "zip;zip code;postcode;postal code;post code;zipcode;zcta;plz;postleitzahl;codigo postal;cp;zip plus;postal",
    "country": "country;country code;nation;native country;country of residence;pais;land;staat;home country",
    "coordinates": "latitude;longitude;lat;lon;lng;long;geo;geopoint;gps;coordinates;coords;wkt;geometry;geom;x coord;y coord;latitud;longitud;breitengrad;laengengrad;easting;northing;geolocation;lat long",
    "birth_date": "birth date;date of birth;dob;birthday;bdate;birth dt;born;born on;date birth;birth day;dt birth;fecha nacimiento;fecha de nacimiento;geburtsdatum;geb dat;gebdat;geb datum;geboren;birth;fec nac;patient dob;d o b",
    "death_date": "death date;date of death;dod;death dt;deceased date;died;died on;fecha defuncion;fecha fallecimiento;sterbedatum;todesdatum;todestag;deceased on",
    "date": """date;dt;day;start;stop;end;start date;end date;admission date;admit date;discharge date;visit date;service date;
        encounter date;collection date;order date;hire date;hired;enrollment date;appointment date;onset;begin;expiry date;
        from date;to date;thru date;fecha;fecha ingreso;fecha alta;fecha consulta;datum;aufnahmedatum;entlassdatum;
        entlassungsdatum;aufnahme;entlassung;eintrittsdatum;austrittsdatum;beginn;ende;valid from;valid to;opened;closed on;
        joined;since;admission;discharge;dos;date of service;month;termination date;todate;fromdate;surgery date;
        exam date;release date;graduation date;opened on;last seen;last login;seit""",
    "timestamp": "timestamp;datetime;date time;ts;time;admission ts;admit time;discharge time;created at;updated at;created;updated;modified;recorded at;event time;zeitpunkt;zeitstempel;hora;uhrzeit;charttime;admittime;dischtime;start time;end time;checkin;check in",
    "year": "year;yr;birth year;year of birth;yob;jahr;geburtsjahr;ano;anio;ano nacimiento;admission year;graduation year;hire year",
    "age": "age;agep;age years;age group;age at admission;age in years;patient age;edad;alter;altersgruppe;age band;age range;age at visit;age months;age at diagnosis",
    "phone": "phone;telephone;tel;phone number;phone no;ph;ph no;mobile;cell;cellphone;mobile phone;home phone;work phone;telefono;movil;telefon;telefonnummer;handy;mobil;rufnummer;phn;contact number;tel no;tel nr;emergency phone;celular",
    "fax": "fax;fax number;fax no;telefax;facsimile;faxnummer",
    "email": "email;e mail;mail;email address;mail address;correo;correo electronico;emailadresse;mailadresse",
    "ssn": "ssn;social security;social security number;soc sec;soc sec id;social security no;soc sec no;ss number;ss no;social;sozialversicherungsnummer;sv nummer;svnr;seguridad social;numero seguridad social;nss;ssn last;sv nr",
    "national_id": """national id;national id number;nhs number;nhs no;passport;passport number;tax id;tin;itin;tax number;nin;national insurance;
        dni;nif;nie;curp;cpf;aadhaar;cedula;steuer id;steuernummer;personalausweis;ausweisnummer;reisepass;identity card;id card;
        medicare number;sin;personnummer;bsn;pesel;codice fiscale;citizen id;government id;idnr;steuer idnr;ausweis;rfc""",
    "medical_record_number": "mrn;medical record number;medical record;med rec;med rec no;chart number;chart no;chart;hospital number;unit record;historia clinica;numero historia;num historia;historia;nhc;patientennummer;pat nr;krankenakte;record number;emr id;ehr id;hospital no;urn;empi;pid",
    "health_plan_number": """health plan number;health plan;hicn;mbi;hic;member number;beneficiary number;beneficiary id;insurance number;
        insurance id;policy number;policy no;policy;subscriber id;subscriber number;group number;medicaid id;medicaid number;medicare id;
        versichertennummer;versicherungsnummer;krankenversichertennummer;kvnr;kv nr;egk;vers nr;poliza;numero afiliado;afiliado;
        health insurance number;insurance policy;health card;member id;cardholder id;insurance no""",
    "account_number": """account number;account no;account;acct;acct no;acct number;iban;bank account;card number;credit card;creditcard;
        cc number;ccn;pan;debit card;routing number;bic;swift;sort code;cuenta;numero cuenta;kontonummer;konto;kontonr;kreditkarte;
        billing number;account id;loan number;card no;tarjeta;payment card;customer account;iban nummer""",
    "licence_number": """license number;licence number;license;licence;driver license;drivers;drivers license;driver licence;dl;dl number;dea;dea number;
        npi;certificate number;certificate;registration number;license no;licencia;fuehrerschein;fuehrerscheinnummer;lanr;
        approbation;permit number;permit;badge;badge number;badge no;cert no;npi number;provider npi;carne""",
    "vehicle_id": "vin;vehicle id;license plate;licence plate;plate;plate number;vehicle identification number;registration plate;kennzeichen;kfz;fahrgestellnummer;matricula;placa;number plate;vehicle registration",
    "device_id": "device id;device serial;serial;serial number;serial no;device identifier;imei;udi;imsi;device;implant id;pacemaker serial;geraetenummer;seriennummer;numero serie;sim;advertising id;idfa;android id;sn;asset tag;equipment id",
    "url": "url;uri;website;web site;homepage;link;web;href;webseite;linkedin;facebook;twitter;profile url;social media;pagina web",
    "ip_address": "ip;ip address;ipaddr;ip addr;client ip;remote addr;source ip;ipv;login ip;last ip;direccion ip",
    "mac_address": "mac;mac address;mac addr;bluetooth address;hardware address",
    "biometric": "biometric;fingerprint;finger print;retina;iris;voiceprint;voice print;face embedding;faceprint;genome;dna;dna sequence;template biometric;huella;fingerabdruck;face id;genotype",
    "photo": "photo;picture;image;portrait;img;foto;bild;image path;photo file;avatar;photo url;headshot;imagen;image file;passbild;profile photo",
    "user_name": "username;user name;login;login name;password;passwd;pwd;password hash;secret;token;api key;benutzername;usuario;pin;handle;account name;kennwort",
    "sex": "sex;gender;sexo;genero;geschlecht;sex code;gender identity;gender code;biological sex;m f",
    "race": "race;ethnicity;ethnic;ethnic group;race ethnicity;race code;rac;hisp;hispanic;hispanic origin;raza;etnia;ethnie;ethnic origin;tribe;ancestry;skin color",
    "marital_status": "marital status;marital;married;civil status;relationship;msp;mar stat;estado civil;familienstand;relationship status;spouse;marriage;mar",
    "education": "education;edu;education level;education num;schooling;degree;schl;highest education;qualification;educacion;estudios;nivel estudios;bildung;schulabschluss;abschluss;grade level;school year;school class;klasse;klassenstufe;schulklasse;homeroom;major;years of education;educational attainment",
    "occupation": "occupation;job;job title;profession;employer;work class;workclass;industry;indp;occp;position;ocupacion;profesion;puesto;beruf;arbeitgeber;berufsbezeichnung;job role;employer name;job code;employment status;employment;rank;job class;indp cat;job family;job level;role",
    "nationality": "nationality;citizenship;citizen;nacionalidad;staatsangehoerigkeit;nationalitaet;immigration status;visa status;cit",
    "language": "language;preferred language;mother tongue;primary language;idioma;lengua;sprache;muttersprache;home language",
    "household": "household;household size;family size;children;number of children;kids;dependents;noc;npf;hijos;kinder;kinderzahl;housing;housing type;own rent;home ownership;tenure;haushalt;siblings;num children;dependants;home type;living arrangement",
    "disability": "disability;disabled;veteran;dvet;drem;dphy;deye;dear;handicap;discapacidad;behinderung;special education;military service;schwerbehindert;sen;pregnant;pregnancy;deaf;blind;military",
    "body": "hair color;eye color;height;tattoo;blood type;augenfarbe;groesse;scars;koerpergroesse;estatura;blood group",
    "density": "density;population density;urban rural;rural;urbanicity;rucc",
    "religion": "religion;religious affiliation;denomination;faith;konfession;creed;political party;party;union member;sexual orientation;trade union;gewerkschaft",
    "income": """income;salary;wage;wages;net worth;household income;pincp;earnings;pay;gross pay;salary class;annual income;hourly rate;
        poverty;povpip;credit score;balance;debt;ingresos;salario;sueldo;gehalt;einkommen;lohn;capital gain;capital loss;bonus;wealth;
        kontostand;saldo;loan amount;default;bruttogehalt;fico;income decile;pincp decile;free lunch;credit limit;brutto;netto;compensation""",
    "diagnosis": """diagnosis;diag;dx;icd;icd code;primary diagnosis;secondary diagnosis;admitting diagnosis;condition;problem;
        diagnosis code;disease;comorbidity;cause of death;reason code;reason description;allergy;allergen;reaction;diagnostico;
        diagnose;hauptdiagnose;nebendiagnose;chief complaint;complaint;drg;hiv;hiv status;illness;cie;aufnahmediagnose;mental health;
        cancer stage;tumor;reasoncode;reasondescription;symptom;principal diagnosis;indication;smoker;smoking status;alcohol use;
        alcohol;tobacco;substance use;drug use;disciplinary;suspension;discipline;genetic;snomed;sickness;krankheit""",
    "treatment": """medication;drug;drug name;procedure;procedure code;cpt;hcpcs;ndc;rxnorm;vaccine;vaccination;immunization;therapy;treatment;
        medicamento;tratamiento;medikament;medikation;behandlung;ops;operation;surgery;prescribed drug;device description;atc;cvx;
        dose;dosage;med;meds;medicine;wirkstoff;prozedur""",
    "measure": """value;weight;result;lab;lab value;measurement;glucose;glu serum;hemoglobin;creatinine;bmi;blood pressure;systolic;diastolic;heart rate;pulse;
        temperature;temp;weight kg;oxygen;spo;cholesterol;result value;units;unit of measure;length of stay;los;time in hospital;duration;
        minutes;hours;hours per week;resultado;ergebnis;laborwert;wert;laborwerte;blutdruck;gewicht;a1c;hba;result flag;severity;hours worked;
        distance;speed;utilization;reading;sodium;potassium;egfr;wbc;hdl;ldl;puls;verweildauer;body weight;kreatinin;observation;numeric result""",
    "grade": "grade;gpa;score;test score;exam score;math score;reading score;rating;performance;performance rating;evaluation;note deutsch;noten;note mathe;nota;notas;calificacion;zensur;credit rating;marks;final grade;leistung",
    "count": """count;number of;num;number;quantity;qty;total number;cnt;n;number visits;num procedures;num medications;num lab procedures;number diagnoses;
        number inpatient;number outpatient;number emergency;anzahl;cantidad;absences;days absent;tardies;dispenses;fehltage;vacation days;sick days;krankheitstage;
        numero de;member months;encounters;procedures;units sold;days;tage;dias;unique customers;times""",
    "amount": """amount;cost;price;charge;charges;total cost;paid;payment;copay;fee;expenses;coverage;revenue;outstanding;total claim cost;base cost;
        billed amount;allowed amount;importe;precio;coste;betrag;kosten;preis;payer coverage;healthcare expenses;healthcare coverage;amount covered;
        tuition;payments;adjustments;unpaid;transfers;transfer;rechnungsbetrag;premium;interest rate;rate;zinssatz;total charges""",
    "code": """type;status;category;class;code;source;disposition;system;mode;admission type;discharge disposition;admission source;payer code;
        specialty;speciality;medical specialty;service line;payer;insurance;plan type;ownership;product;product code;kind;level;modality;
        priority;version;channel;currency;shift;tipo;estado;typ;kategorie;fachabteilung;fachrichtung;versicherung;kasse;krankenkasse;aufnahmeart;
        seguro;servicio;especialidad;procedure type;claim type;segment;subject;course;fach;encounter class;encounterclass;contract type;account type;
        vertragsart;versichertenstatus;entlassgrund;body site;bodysite;sop code;language code;method;insurance type;kostentraeger;payer name;insurer""",
    "flag": "flag;indicator;is active;active;deceased;readmitted;readmission;change;yes no;is;has;opt in;consent;outcome;target;label;churn;subscribed;died in hospital;enabled;y;verified",
    "weight": "sample weight;pwgtp;wgtp;fnlwgt;survey weight;person weight;sampling weight;weight factor;final weight",
    "organization": """hospital;hospital name;facility;facility name;clinic;clinic name;ward;department;dept;department name;organization;organization name;
        org name;school;school name;company;company name;site;site name;bank name;branch;branch name;location;location name;loc;krankenhaus;klinik;station;abteilung;
        schule;filiale;centro;hospital ingreso;escuela;unit;room;bed;zimmer;bett;sucursal;care unit;campus;room number;cost center;kostenstelle;store;office""",
    "free_text": """note;notes;note text;comment;comments;remark;remarks;text;narrative;free text;description text;report text;history;
        assessment;memo;message;observaciones;comentario;notas clinicas;nota clinica;informe;bemerkung;bemerkungen;kommentar;notiz;anamnese;befund;
        arztbrief;verlauf;clinical note;discharge summary;feedback;impression;findings;details;feedback text;teacher comment;hpi;remarks text;anmerkung;anmerkungen""",
}
"""Phrases by kind, separated by semicolons."""
