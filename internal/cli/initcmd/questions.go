package initcmd

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"norn/internal/scaffold"
	"norn/pkg/infraspec"
)

// question is one thing that norn init wants to know.
type question struct {
	flag, text string
	needed     string // why there must be an answer, or ""
	applies    func(*scaffold.Answers) bool
	take       func(*scaffold.Answers)        // takes the flag's answer
	fallback   func(*scaffold.Answers) string // the answer where none is given
	set        func(a *scaffold.Answers, answer string) error
}

// soFar fills in what has not been asked yet, so that only the answers so far can be wrong.
func (question) soFar(a scaffold.Answers) scaffold.Answers {
	if a.Port == 0 {
		a.Port = 8080
	}
	a.Schedule = cmp.Or(a.Schedule, "@daily")
	a.Command = cmp.Or(a.Command, "true")
	return a
}

func questions(flags scaffold.Answers) []question {
	always := func(*scaffold.Answers) bool { return true }
	none := func(*scaffold.Answers) string { return "" }
	web, cron := roleIs(infraspec.Webserver), roleIs(infraspec.Cron)
	text := func(field func(*scaffold.Answers) *string) (func(*scaffold.Answers), func(*scaffold.Answers, string) error) {
		return func(a *scaffold.Answers) { *field(a) = strings.TrimPrefix(*field(&flags), "-") },
			func(a *scaffold.Answers, answer string) error { *field(a) = answer; return nil }
	}
	word := func(q question, field func(*scaffold.Answers) *string) question {
		q.take, q.set = text(field)
		return q
	}
	return []question{
		word(question{flag: "app", text: "App's name", needed: "an app has a name", applies: always, fallback: func(a *scaffold.Answers) string { return a.App }},
			func(a *scaffold.Answers) *string { return &a.App }),
		word(question{flag: "role", text: "Role (webserver, worker, cron, function)", needed: "an app has a role", applies: always, fallback: func(a *scaffold.Answers) string { return a.Role }},
			func(a *scaffold.Answers) *string { return &a.Role }),
		{
			flag: "port", text: "Port the container listens on", needed: "a webserver has a port", applies: web,
			take:     func(a *scaffold.Answers) { a.Port = flags.Port },
			fallback: func(a *scaffold.Answers) string { return strings.TrimPrefix(strconv.Itoa(a.Port), "0") },
			set:      setPort,
		},
		word(question{flag: "healthcheck", text: "Path for health checks, such as /healthz (Enter for none)", applies: web, fallback: none},
			func(a *scaffold.Answers) *string { return &a.Healthcheck }),
		word(question{flag: "internal", text: "Name inside the cluster (- for none)", applies: web, fallback: serviceName},
			func(a *scaffold.Answers) *string { return &a.Internal }),
		word(question{flag: "external", text: "Public host name (Enter for none)", applies: func(a *scaffold.Answers) bool { return web(a) && a.Internal != "" }, fallback: none},
			func(a *scaffold.Answers) *string { return &a.External }),
		word(question{flag: "schedule", text: `Schedule, such as "0 3 * * *"`, needed: "a cron app has a schedule", applies: cron, fallback: none},
			func(a *scaffold.Answers) *string { return &a.Schedule }),
		word(question{flag: "command", text: "Command", needed: "a cron app has a command", applies: cron, fallback: none},
			func(a *scaffold.Answers) *string { return &a.Command }),
		{
			flag: "from-remote", applies: always,
			take:     func(a *scaffold.Answers) { a.FromRemote = flags.FromRemote },
			fallback: none,
			set:      func(*scaffold.Answers, string) error { return nil },
		},
	}
}

// serviceName is the app's name, where that can name a Service: it may not begin with a digit.
func serviceName(a *scaffold.Answers) string {
	if a.App == "" || a.App[0] >= '0' && a.App[0] <= '9' {
		return ""
	}
	return a.App
}

func setPort(a *scaffold.Answers, answer string) error {
	port, err := strconv.Atoi(answer)
	if err != nil || port == 0 {
		return fmt.Errorf("a port is 1 to 65535, not %q", answer)
	}
	a.Port = port
	return nil
}
