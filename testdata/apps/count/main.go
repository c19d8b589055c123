// Command count is a sample worker for tests of logs: each of its instances numbers its lines, from 1 to one that says how many there were.
//
//	LINES   how many to write; 0, the default, for as many as there is time for
//	RATE    lines a second; 0, the default, for as many as go out
//	LENGTH  bytes of a line
//	START   seconds before the first line
//	EXIT    the exit code at the end; without it, it waits to be stopped
package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	instance := rand.Text()[:12]
	lines, rate := number("LINES"), number("RATE")
	padding := strings.Repeat(".", number("LENGTH"))
	select {
	case <-stop:
		return
	case <-time.After(time.Duration(number("START")) * time.Second):
	}
	begin, n := time.Now(), 0
	for lines == 0 || n < lines {
		if rate > 0 {
			if ahead := time.Duration(n)*time.Second/time.Duration(rate) - time.Since(begin); ahead > 10*time.Millisecond {
				time.Sleep(ahead)
			}
		}
		n++
		line := fmt.Appendf(nil, "%s %d %s", instance, n, padding)
		line = append(line[:max(len(padding), len(line)-len(padding))], '\n')
		if _, err := os.Stdout.Write(line); err != nil {
			os.Exit(1)
		}
		select {
		case <-stop:
			fmt.Println(instance, n+1, "end")
			return
		default:
		}
	}
	fmt.Println(instance, n+1, "end")
	if code := os.Getenv("EXIT"); code != "" {
		os.Exit(number("EXIT"))
	}
	<-stop
}

func number(name string) int {
	n, _ := strconv.Atoi(os.Getenv(name))
	return n
}
