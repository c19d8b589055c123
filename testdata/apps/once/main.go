// Command once is a sample image for one-off Jobs. Its arguments specify its output, its duration and its exit code.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// end is how long the program waits after its last line. containerd may lose unread lines of a container that ends
// ("reading from a closed fifo").
const end = 300 * time.Millisecond

func main() {
	if len(os.Args) < 2 {
		fmt.Println("body:", os.Getenv("NORN_BODY"))
		for { // like a worker; an empty select would be a deadlock error in Go
			time.Sleep(time.Hour)
		}
	}
	switch os.Args[1] {
	case "body":
		fmt.Println("body:", os.Getenv("NORN_BODY"))
		time.Sleep(end)
	case "print":
		fmt.Println(os.Args[2])
		time.Sleep(end)
	case "bare": // without a line end
		fmt.Print(os.Args[2])
		time.Sleep(end)
	case "apart":
		fmt.Println("to stdout")
		fmt.Fprintln(os.Stderr, "to stderr")
		time.Sleep(end)
	case "cat":
		_, _ = io.Copy(os.Stdout, os.Stdin)
		time.Sleep(end)
	case "count": // the bytes of standard input
		n, err := io.Copy(io.Discard, os.Stdin)
		fmt.Println(n, err)
		time.Sleep(end)
	case "say": // and keep running
		fmt.Println(os.Args[2])
		time.Sleep(time.Hour)
	case "env":
		fmt.Println(os.Getenv(os.Args[2]))
		time.Sleep(end)
	case "exit":
		code, _ := strconv.Atoi(os.Args[2])
		fmt.Println("ends with", code)
		time.Sleep(end)
		os.Exit(code)
	case "yes":
		for range time.Tick(100 * time.Millisecond) {
			fmt.Println("y")
		}
	case "sleep":
		fmt.Println("sleeps")
		time.Sleep(time.Hour)
	case "eat":
		var all [][]byte
		for {
			b := make([]byte, 16<<20)
			for i := range b {
				b[i] = 1
			}
			all = append(all, b)
		}
	}
}
