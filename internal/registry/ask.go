package registry

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Question is what is asked of a registry.
type Question struct {
	Registry   string // HOST[:PORT][/PATH]
	Plain      bool   // speaks HTTP without TLS
	Login      *Login // nil is none
	Repository string // an image that is to be pushed there, without the registry; "" asks only whether the login is taken
}

// Answer is what became of it.
type Answer int

// The answers of a registry.
const (
	Open          Answer = iota // it asks for no login
	Accepted                    // it takes the login
	LoginRequired               // it wants a login, and there is none
	Refused                     // it does not take the login
	NoPush                      // it takes the login, and does not let it push to the repository
)

// Error says why a registry did not answer as one.
type Error struct {
	Text      string
	Untrusted bool // its certificate is not one that this machine trusts; the builder may have been told to
}

// Error is the text.
func (e *Error) Error() string { return e.Text }

// Ask asks a registry by the API that all have (distribution.github.io: HTTP API V2, Token Authentication). A registry that cannot be asked is an *Error.
func Ask(ctx context.Context, q Question) (Answer, error) {
	host, path, _ := strings.Cut(q.Registry, "/")
	c := &client{Question: q, base: "https://" + host}
	if q.Plain {
		c.base = "http://" + host
	}
	if isDockerHub(host) {
		c.base = "https://registry-1.docker.io"
	}
	if q.Repository != "" {
		c.repository = strings.Trim(path+"/"+q.Repository, "/")
	}
	first, err := c.get(ctx, c.base+"/v2/", "")
	switch {
	case err != nil:
		return 0, err
	case first.code == http.StatusOK:
		return Open, nil
	case first.code != http.StatusUnauthorized:
		return 0, &Error{Text: fmt.Sprintf("%s did not answer as a registry does: %s", host, first.status)}
	case q.Login == nil:
		return LoginRequired, nil
	}
	return c.logIn(ctx, first.challenge)
}

type client struct {
	Question
	base, repository string
}

// logIn does what the challenge asks for.
func (c *client) logIn(ctx context.Context, challenge string) (Answer, error) {
	scheme, parameters := parseChallenge(challenge)
	header, mayPush := c.Login.basic(), true
	if scheme == "bearer" {
		token, err := c.token(ctx, parameters)
		if err != nil || token == "" {
			return Refused, err
		}
		header, mayPush = "Bearer "+token, c.pushes(token)
	}
	again, err := c.get(ctx, c.base+"/v2/", header)
	switch {
	case err != nil:
		return 0, err
	case again.code == http.StatusUnauthorized || again.code == http.StatusForbidden:
		return Refused, nil
	case again.code != http.StatusOK:
		return 0, &Error{Text: fmt.Sprintf("%s answered the login with %s", c.base, again.status)}
	case !mayPush:
		return NoPush, nil
	}
	return Accepted, nil
}

// token gets a token for the login, or "" where that is refused.
func (c *client) token(ctx context.Context, parameters map[string]string) (string, error) {
	realm, err := url.Parse(parameters["realm"])
	if err != nil || realm.Host == "" {
		return "", &Error{Text: c.base + " does not say where tokens are to be had"}
	}
	if realm.Scheme != "https" && !Loopback(realm.Hostname()) {
		return "", &Error{Text: fmt.Sprintf("%s gives its tokens over plain HTTP (%s), over which no login is sent", c.base, realm.Host)}
	}
	ask := realm.Query()
	ask.Set("service", parameters["service"])
	if c.repository != "" {
		ask.Set("scope", "repository:"+c.repository+":pull,push")
	}
	var got reply
	if c.Login.token != "" { // distribution.github.io: OAuth2 token authentication
		ask.Set("grant_type", "refresh_token")
		ask.Set("client_id", "norn")
		ask.Set("refresh_token", c.Login.token)
		got, err = c.do(ctx, http.MethodPost, realm.String(), "", ask.Encode())
	} else {
		realm.RawQuery = ask.Encode()
		got, err = c.get(ctx, realm.String(), c.Login.basic())
	}
	switch {
	case err != nil:
		return "", err
	case got.code == http.StatusUnauthorized || got.code == http.StatusForbidden || got.code == http.StatusBadRequest:
		return "", nil
	case got.code != http.StatusOK:
		return "", &Error{Text: fmt.Sprintf("%s, which gives the registry's tokens, answered %s", realm.Host, got.status)}
	}
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(got.body, &answer) != nil {
		return "", &Error{Text: realm.Host + " did not answer with a token"}
	}
	return cmp.Or(answer.Token, answer.AccessToken), nil
}

// pushes reports whether a token lets the login push to the repository. One that does not say so is believed to
// (distribution.github.io: Token Authentication Implementation, access).
func (c *client) pushes(token string) bool {
	parts := strings.Split(token, ".")
	if c.repository == "" || len(parts) != 3 {
		return true
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Access *[]struct {
			Type, Name string
			Actions    []string
		} `json:"access"`
	}
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Access == nil {
		return true
	}
	for _, a := range *claims.Access {
		if a.Name == c.repository {
			return slices.Contains(a.Actions, "push") || slices.Contains(a.Actions, "*")
		}
	}
	return len(*claims.Access) > 0 // it is about something else
}

func (l *Login) basic() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(l.User+":"+l.Secret()))
}

// reply is what is needed of an answer.
type reply struct {
	code              int
	status, challenge string
	body              []byte
}

func (c *client) get(ctx context.Context, address, authorization string) (reply, error) {
	return c.do(ctx, http.MethodGet, address, authorization, "")
}

const maxReply = 1 << 20

func (c *client) do(ctx context.Context, method, address, authorization, form string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form))
	if err != nil {
		return reply{}, &Error{Text: fmt.Sprintf("%q is no address", address)}
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if form != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := noRedirect().Do(req)
	if err != nil {
		return reply{}, unreachable(req.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return reply{}, unreachable(req.URL.Host, err)
	}
	return reply{resp.StatusCode, resp.Status, strings.Join(resp.Header.Values("WWW-Authenticate"), ", "), body}, nil
}

// noRedirect is a client that goes nowhere else with a login: what a redirect leads to has not been checked.
func noRedirect() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func unreachable(host string, err error) error {
	var (
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		name    x509.HostnameError
		whole   *url.Error
	)
	switch {
	case errors.As(err, &dns):
		return &Error{Text: fmt.Sprintf("the host name %s cannot be resolved (DNS)", dns.Name)}
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &name):
		return &Error{Text: fmt.Sprintf("the certificate of %s is not one that this machine trusts", host), Untrusted: true}
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return &Error{Text: host + " speaks plain HTTP, and is not on this machine", Untrusted: true}
	case errors.As(err, &whole): // without the address, which has the query
		err = whole.Err
	}
	return &Error{Text: fmt.Sprintf("%s cannot be reached: %s", host, strings.Join(strings.Fields(err.Error()), " "))}
}

// Loopback reports whether host, with or without a port, is on this machine by its name or address.
func Loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// parameter is one of a challenge (RFC 9110, 11.2).
var parameter = regexp.MustCompile(`(\w+)=("([^"]*)"|[^\s,]+)`)

// parseChallenge takes a WWW-Authenticate header apart.
func parseChallenge(header string) (scheme string, parameters map[string]string) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	parameters = map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(rest, -1) {
		parameters[strings.ToLower(m[1])] = cmp.Or(m[3], strings.Trim(m[2], `"`))
	}
	return strings.ToLower(scheme), parameters
}
