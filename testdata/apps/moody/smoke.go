package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

// smoke asks the Pod in NORN_TARGET for one path, as a verify does. It ends with 1 unless the answer is 200.
func smoke() {
	defer time.Sleep(end)
	target := os.Getenv("NORN_TARGET")
	fmt.Printf("smoke test of %q with token %q\n", target, os.Getenv("API_TOKEN"))
	if target == "" {
		return
	}
	resp, err := http.Get("http://" + target + "/checkout")
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()
	fmt.Println("GET /checkout:", resp.Status)
	if resp.StatusCode != http.StatusOK {
		time.Sleep(end)
		os.Exit(1)
	}
}
