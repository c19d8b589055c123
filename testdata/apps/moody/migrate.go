package main

import (
	"fmt"
	"log"
	"net"
	"net/url"
	"os"
	"time"
)

// migrate simulates a migration. It prints its environment and ends as args specify.
func migrate(args []string) {
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
	if len(args) == 0 {
		return
	}
	switch args[0] {
	case "fail":
		log.Print("the migration does not want to")
		time.Sleep(end)
		os.Exit(1)
	case "untold": // waits for /moody tell in the same container
		fmt.Println("waiting")
		for {
			if _, err := os.Stat(told); err == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

// told is the file that ends the wait of a migration.
const told = "/told"

func tell() {
	if err := os.WriteFile(told, nil, 0o600); err != nil {
		log.Fatal(err)
	}
}
