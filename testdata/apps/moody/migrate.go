package main

import (
	"fmt"
	"log"
	"net"
	"net/url"
	"os"
	"time"
)

// migrate stands for a migration: it says what it was given and ends as it is told.
func migrate(how []string) {
	defer time.Sleep(end)
	fmt.Println("migrating as", os.Getenv("VERSION"))
	if u, err := url.Parse(os.Getenv("DATABASE_URL")); err == nil && u.Host != "" {
		c, err := net.DialTimeout("tcp", u.Host, 5*time.Second)
		if err != nil {
			log.Fatal(err)
		}
		_ = c.Close()
		fmt.Println("the database answers")
	}
	if len(how) == 0 {
		return
	}
	switch how[0] {
	case "fail":
		log.Print("the migration does not want to")
		time.Sleep(end)
		os.Exit(1)
	case "wait":
		fmt.Println("waiting")
		d, _ := time.ParseDuration(how[1])
		time.Sleep(d)
		fmt.Println("waited")
	}
}
