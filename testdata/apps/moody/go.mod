module moody

go 1.26
