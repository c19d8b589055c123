module beat

go 1.26
