// Command count is a sample worker for tests of logs: each of its instances numbers its lines, from 1 to one that says how many there were.
//
//	LINES   how many to write; 0, the default, for as many as there is time for
//	RATE    lines a second; 0, the default, for as many as go out
//	LENGTH  bytes of a line
//	WAIT    lines to write before it waits until it is told to go on, by count go in the same container; 0, the default, for none
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
	if len(os.Args) > 1 && os.Args[1] == "go" {
		if err := os.WriteFile(told, nil, 0o600); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	lines, rate, wait := number("LINES"), number("RATE"), number("WAIT")
	padding := strings.Repeat(".", number("LENGTH"))
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
		if n == wait {
			untilTold(stop)
			begin = time.Now().Add(-time.Duration(n) * time.Second / time.Duration(max(rate, 1)))
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

// told is the file that count go makes.
const told = "/told"

// untilTold waits for that file, or for the end.
func untilTold(stop chan os.Signal) {
	for {
		if _, err := os.Stat(told); err == nil {
			return
		}
		select {
		case s := <-stop:
			stop <- s
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func number(name string) int {
	n, _ := strconv.Atoi(os.Getenv(name))
	return n
}
