"""The rules, one kind of identifier a file: each takes a language and gives a function from a document to its spans."""
