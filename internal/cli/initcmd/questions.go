package initcmd

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"norn/internal/scaffold"
	"norn/pkg/infraspec"
)

// question asks for one answer, on a terminal or through a flag.
type question struct {
	flag, text string
	help       string // the answer to "?"
	needed     string // why an answer is required, or ""
	applies    func(*scaffold.Answers) bool
	take       func(*scaffold.Answers)        // copies the answer from the flag
	fallback   func(*scaffold.Answers) string // the default answer
	set        func(a *scaffold.Answers, answer string) error
}

// fillLater fills in the answers to later questions, so that only answers already given can be invalid.
func (question) fillLater(a scaffold.Answers) scaffold.Answers {
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
		word(question{
			flag: "app", text: "App name", needed: "an app needs a name", applies: always,
			help:     "All objects in the cluster are named after the app. Use lower-case letters, digits and '-'.",
			fallback: func(a *scaffold.Answers) string { return a.App },
		}, func(a *scaffold.Answers) *string { return &a.App }),
		word(question{
			flag: "role", text: "Role (webserver, worker, cron, function)", needed: "an app needs a role", applies: always,
			help: "webserver: runs all the time and listens on a port\nworker:    runs all the time, without a port\n" +
				"cron:      runs a command on a schedule\nfunction:  runs once for each norn invoke",
			fallback: func(a *scaffold.Answers) string { return a.Role },
		}, func(a *scaffold.Answers) *string { return &a.Role }),
		{
			flag: "port", text: "Port that the container listens on", needed: "a webserver needs a port", applies: web,
			help:     "The port on which the program in the container accepts HTTP requests.",
			take:     func(a *scaffold.Answers) { a.Port = flags.Port },
			fallback: func(a *scaffold.Answers) string { return strings.TrimPrefix(strconv.Itoa(a.Port), "0") },
			set:      setPort,
		},
		word(question{
			flag: "healthcheck", text: "Health check path, such as /healthz (Enter for none)", applies: web, fallback: none,
			help: "A Pod gets requests while GET on this path returns a status below 400.\n" +
				"Without a path, a Pod gets requests as soon as its container runs.",
		}, func(a *scaffold.Answers) *string { return &a.Healthcheck }),
		word(question{
			flag: "internal", text: "Service name in the cluster (- for none)", applies: web, fallback: serviceName,
			help: "Other Pods reach the app at http://NAME, on port 80.",
		}, func(a *scaffold.Answers) *string { return &a.Internal }),
		word(question{
			flag: "external", text: "Public host name in the Cloudflare tunnel (Enter for none)", fallback: none,
			help:    "The public host that cloudflared in the cluster routes to the Service. Leave it empty for an Ingress.",
			applies: func(a *scaffold.Answers) bool { return web(a) && a.Internal != "" },
		}, func(a *scaffold.Answers) *string { return &a.External }),
		word(question{
			flag: "schedule", text: `Schedule, such as "0 3 * * *"`, needed: "a cron app needs a schedule",
			help:    "Minute, hour, day of month, month, weekday; or @hourly, @daily, @weekly, @monthly.",
			applies: cron, fallback: none,
		}, func(a *scaffold.Answers) *string { return &a.Schedule }),
		word(question{
			flag: "command", text: "Command", needed: "a cron app needs a command", applies: cron, fallback: none,
			help: "The image must contain /bin/sh, which runs the command. To run it without a shell, write a list in the file.",
		}, func(a *scaffold.Answers) *string { return &a.Command }),
		processesQuestion(),
		word(question{
			flag: "migration", text: "Migration from the Procfile's release, before each rollout (- for none)",
			help:     "norn runs the command in the new image, once for each deploy, before it replaces the Pods.",
			applies:  func(a *scaffold.Answers) bool { return a.Migration != "" },
			fallback: func(a *scaffold.Answers) string { return a.Migration },
		}, func(a *scaffold.Answers) *string { return &a.Migration }),
		{
			flag: "from-remote", applies: always,
			take:     func(a *scaffold.Answers) { a.FromRemote = flags.FromRemote },
			fallback: none,
			set:      func(*scaffold.Answers, string) error { return nil },
		},
	}
}

// processesQuestion asks which processes of the Procfile to keep.
func processesQuestion() question {
	return question{
		flag: "processes", text: "Other processes from the Procfile (- for none)", fallback: processNames,
		help: "They run the same image, and are deployed and restored together with the main process.",
		applies: func(a *scaffold.Answers) bool {
			return len(a.Processes) > 0 && a.Role != string(infraspec.Function)
		},
		take: func(*scaffold.Answers) {}, set: setProcesses,
	}
}

func processNames(a *scaffold.Answers) string { return strings.Join(a.ProcessNames(), ", ") }

// setProcesses keeps the processes that the answer names.
func setProcesses(a *scaffold.Answers, answer string) error {
	wanted := strings.FieldsFunc(answer, func(r rune) bool { return r == ',' || r == ' ' })
	for _, name := range wanted {
		if !slices.Contains(a.ProcessNames(), name) {
			return fmt.Errorf("the Procfile has no process %q", name)
		}
	}
	a.Processes = slices.DeleteFunc(slices.Clone(a.Processes), func(p scaffold.Process) bool {
		return !slices.Contains(wanted, p.Name)
	})
	return nil
}

// serviceName returns the app's name, or "" if it begins with a digit: a Service's name must not.
func serviceName(a *scaffold.Answers) string {
	if a.App == "" || a.App[0] >= '0' && a.App[0] <= '9' {
		return ""
	}
	return a.App
}

func setPort(a *scaffold.Answers, answer string) error {
	port, err := strconv.Atoi(answer)
	if err != nil || port == 0 {
		return fmt.Errorf("invalid port %q: must be 1 to 65535", answer)
	}
	a.Port = port
	return nil
}
