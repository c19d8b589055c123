module parrot

go 1.26
