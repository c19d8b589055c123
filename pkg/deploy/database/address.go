package database

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"norn/pkg/pipeline"
)

// keywords are libpq's parameters that say how to reach a database (postgresql.org: libpq, Parameter Key Words).
// Drivers have others, such as Prisma's schema. They concern only the app.
var keywords = []string{
	"host", "hostaddr", "port", "user", "password", "connect_timeout", "client_encoding", "options", "keepalives",
	"keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", "sslmode", "sslcert", "sslkey",
	"sslpassword", "sslrootcert", "sslcrl", "sslcrldir", "sslsni", "ssl_min_protocol_version",
	"ssl_max_protocol_version", "channel_binding", "requirepeer", "krbsrvname", "gsslib", "gssencmode",
	"target_session_attrs", "load_balance_hosts", "require_auth", "sslnegotiation",
}

// uri matches the schemes of libpq, those of SQLAlchemy, which name a driver, and that of JDBC.
var uri = regexp.MustCompile(`^(?:jdbc:)?postgres(?:ql)?(?:\+\w+)?://`)

// parseAddress returns the connection in a DATABASE_URL: a URI or libpq's "key=value" form. It follows libpq, which
// takes more than a URL parser: a password may contain "#", "^" or a space as it is. An address that it is not sure of
// is a *pipeline.UsageError, which does not quote it.
func parseAddress(address string) (Connection, error) {
	var c Connection
	var err error
	switch scheme := uri.FindString(address); {
	case scheme != "":
		c, err = parseURI(address[len(scheme):])
	case strings.Contains(address, "=") && !strings.Contains(address, "://"):
		c, err = parsePairs(address)
	default:
		err = notUnderstood("it is not a postgresql:// address")
	}
	if err != nil {
		return nil, err
	}
	normalize(c)
	return c, nil
}

func notUnderstood(format string, args ...any) error {
	return &pipeline.UsageError{
		Problem: "cannot read DATABASE_URL: " + fmt.Sprintf(format, args...),
		Advice: "write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded; " +
			"norn deploy --skip-snapshot deploys without a snapshot",
	}
}

// parseURI parses what follows the scheme (postgresql.org: libpq, Connection URIs; conninfo_uri_parse_options in
// src/interfaces/libpq/fe-connect.c).
func parseURI(rest string) (Connection, error) {
	c := Connection{}
	var err error
	decode := func(name, text string) {
		value, bad := url.PathUnescape(text)
		if bad != nil && err == nil {
			err = notUnderstood("invalid percent-encoding in the %s", name)
		}
		if value != "" {
			c[name] = value
		}
	}
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		user, password, _ := strings.Cut(rest[:i], ":")
		decode("user", user)
		decode("password", password)
		rest = rest[i+1:]
	}
	rest, query, _ := strings.Cut(rest, "?")
	if strings.Contains(rest, "@") { // libpq would take a part of the password for the host
		return nil, notUnderstood(`the user or the password contains "@" or "/"; write %%40 and %%2F`)
	}
	hosts, _, _ := strings.Cut(rest, "/") // the database is the infraspec's
	host, port, problem := splitHosts(hosts)
	if problem != "" {
		return nil, notUnderstood("%s", problem)
	}
	decode("host", host)
	decode("port", port)
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if slices.Contains(keywords, name) || name == "ssl" {
			decode(name, value)
		}
	}
	return c, err
}

// splitHosts splits "host:port,host:port" into libpq's lists of hosts and ports.
func splitHosts(text string) (hosts, ports, problem string) {
	var hostList, portList []string
	for one := range strings.SplitSeq(text, ",") {
		var host, port string
		if v6, after, ok := strings.Cut(one, "]"); ok && strings.HasPrefix(one, "[") { // an IPv6 address
			host, port = v6[1:], strings.TrimPrefix(after, ":")
		} else {
			host, port, _ = strings.Cut(one, ":")
		}
		if strings.Trim(port, "0123456789") != "" {
			return "", "", "its port is not a number"
		}
		hostList, portList = append(hostList, host), append(portList, port)
	}
	ports = strings.Join(portList, ",")
	if strings.Trim(ports, ",") == "" {
		ports = ""
	}
	return strings.Join(hostList, ","), ports, ""
}

// parsePairs parses "key=value key='quoted \' value'" (postgresql.org: libpq, Keyword/Value Connection Strings).
func parsePairs(text string) (Connection, error) {
	c := Connection{}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		name, rest, ok := strings.Cut(text, "=")
		name, rest = strings.TrimSpace(name), strings.TrimLeft(rest, " \t\r\n")
		if !ok || name == "" || strings.ContainsAny(name, " \t\r\n'") {
			return nil, notUnderstood("a parameter has no value")
		}
		var value strings.Builder
		quoted, i := strings.HasPrefix(rest, "'"), 0
		if quoted {
			i = 1
		}
		closed := !quoted
		for ; i < len(rest); i++ {
			b := rest[i]
			if quoted && b == '\'' {
				closed, i = true, i+1
				break
			}
			if !quoted && strings.IndexByte(" \t\r\n", b) >= 0 {
				break
			}
			if b == '\\' && i+1 < len(rest) {
				i++
				b = rest[i]
			}
			value.WriteByte(b)
		}
		if !closed {
			return nil, notUnderstood("a quote is not closed")
		}
		if slices.Contains(keywords, name) {
			c[name] = value.String()
		}
		text = rest[i:]
	}
	return c, nil
}

// normalize replaces other drivers' values by libpq's.
func normalize(c Connection) {
	if c["ssl"] == "true" && c["sslmode"] == "" { // of JDBC; libpq accepts it as well
		c["sslmode"] = "require"
	}
	delete(c, "ssl")
	if c["sslmode"] == "no-verify" { // of node-postgres: encrypted, without a check of the certificate
		c["sslmode"] = "require"
	}
}
