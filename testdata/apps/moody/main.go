// Command moody is a sample web server for tests of failures. The file /mood.txt in its image selects the behavior, or
// the variable MOOD for one of its processes.
// DRAIN is how long it keeps answering after SIGTERM.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// end is how long the program waits after its last line. containerd may lose unread lines of a container that ends
// ("reading from a closed fifo").
const end = 300 * time.Millisecond

func main() {
	if len(os.Args) > 1 && os.Args[1] == "migrate" {
		migrate(os.Args[2:])
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "tell" {
		tell()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "smoke" {
		smoke()
		return
	}
	text, err := os.ReadFile("/mood.txt")
	if err != nil {
		log.Fatal(err)
	}
	mood, arg, _ := strings.Cut(cmp.Or(os.Getenv("MOOD"), strings.TrimSpace(string(text))), " ")
	log.Printf("the mood is %q", mood)
	port, health := os.Getenv("PORT"), http.StatusOK
	switch mood {
	case "exit":
		code, _ := strconv.Atoi(arg)
		log.Printf("ends with %d", code)
		time.Sleep(end)
		os.Exit(code)
	case "stumble": // fails once in each Pod, then serves
		if mark := filepath.Join("/marks", os.Getenv("HOSTNAME")); os.Mkdir(mark, 0o755) == nil {
			log.Fatal("stumbles")
		}
	case "eat":
		eat()
	case "listen":
		port = arg
		log.Printf("listening on :%s", port)
	case "status":
		health, _ = strconv.Atoi(arg)
	case "mute":
		select {}
	}
	serve(port, mood, health)
}

func eat() {
	var all [][]byte
	for {
		b := make([]byte, 16<<20)
		for i := range b {
			b[i] = 1
		}
		all = append(all, b)
	}
}

// serve answers until SIGTERM, and then for DRAIN, until the Pod is no longer an endpoint of its Service.
func serve(port, mood string, health int) {
	var asked atomic.Int64 // time of the first probe
	mux := http.NewServeMux()
	var served atomic.Int64
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		// This leaves time for two startup probes, one every 5 s, because the first may time out in the kubelet. Right
		// after a restart, the kubelet may also send a liveness probe first.
		asked.CompareAndSwap(0, time.Now().UnixNano())
		if mood == "sicken" && time.Since(time.Unix(0, asked.Load())) > 12*time.Second {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.WriteHeader(health)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, "version %s in the mood %s\n", os.Getenv("VERSION"), mood)
	})
	mux.HandleFunc("GET /checkout", func(w http.ResponseWriter, _ *http.Request) {
		if mood == "flawed" || mood == "tire" && served.Add(1) > 1 { // tire: each Pod sells once
			log.Print("no checkout today")
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	server := &http.Server{Addr: ":" + port, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		drain, _ := time.ParseDuration(os.Getenv("DRAIN")) // 0 by default
		time.Sleep(drain)
		_ = server.Shutdown(context.WithoutCancel(ctx))
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond) // wait for Shutdown to return
}
