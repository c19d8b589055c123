// Command count is a sample worker for tests of logs. Each instance numbers its lines from 1. The last line says end.
// All environment variables but EXIT default to 0:
//
//	LINES   number of lines; 0 means no limit
//	RATE    lines per second; 0 means full speed
//	LENGTH  length of a line in bytes
//	WAIT    number of lines before it waits for the command count go in the same container; 0 means no wait
//	EXIT    exit code at the end; if unset, the worker keeps running
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
		if err := os.WriteFile(goFile, nil, 0o600); err != nil {
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
			waitForGo(stop)
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

// goFile is the file that count go creates.
const goFile = "/told"

// waitForGo waits for goFile or a signal.
func waitForGo(stop chan os.Signal) {
	for {
		if _, err := os.Stat(goFile); err == nil {
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
