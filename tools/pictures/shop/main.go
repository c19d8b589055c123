// Command shop is the app in norn's pictures: a web shop that is always busy.
package main

import (
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	log.SetFlags(0)
	if os.Getenv("PAYMENTS_URL") == "" {
		log.Fatal("PAYMENTS_URL is not set")
	}
	log.Print("payments are taken")
	http.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	log.Print("listening on port 8080")
	go sell()
	log.Fatal(http.ListenAndServe(":8080", nil)) //nolint:gosec // a sample needs no time limits
}

func sell() {
	for n := 1001; ; n++ {
		log.Printf("order %d paid in %d ms", n, 20+n*n%17)
		time.Sleep(700 * time.Millisecond)
	}
}
