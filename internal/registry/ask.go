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

// Question asks whether a registry accepts a login, and whether the login can push to a repository.
type Question struct {
	Registry   string // HOST[:PORT][/PATH]
	Plain      bool   // use HTTP without TLS
	Login      *Login // nil for none
	Repository string // image name without the registry; "" to check only the login
}

// Answer is a registry's answer to a Question.
type Answer int

// The answers of a registry.
const (
	Open          Answer = iota // no login is required
	Accepted                    // accepts the login
	LoginRequired               // requires a login, and none was given
	Refused                     // refuses the login
	NoPush                      // accepts the login, but not for pushing to the repository
)

// Error reports a server that is unreachable, does not behave like a registry, or does not return an image.
type Error struct {
	Text      string
	Untrusted bool // this machine does not trust the certificate, but the builder may
	Missing   bool // the registry has no such image
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Ask asks a registry over the API that all registries implement (distribution.github.io: HTTP API V2, Token
// Authentication). It returns an *Error if the registry does not answer.
func Ask(ctx context.Context, q Question) (Answer, error) {
	host, path, _ := strings.Cut(q.Registry, "/")
	c := newClient(host, q.Plain, q.Login)
	if q.Repository != "" {
		c.repository, c.actions = strings.Trim(path+"/"+q.Repository, "/"), "pull,push"
	}
	first, err := c.get(ctx, c.base+"/v2/", "")
	switch {
	case err != nil:
		return 0, err
	case first.code == http.StatusOK:
		return Open, nil
	case first.code != http.StatusUnauthorized:
		return 0, &Error{Text: fmt.Sprintf("%s did not respond like a registry: %s", host, first.status)}
	case q.Login == nil:
		return LoginRequired, nil
	}
	return c.logIn(ctx, first.challenge)
}

// client talks to one registry.
type client struct {
	login               *Login // nil for none
	base                string // address
	repository, actions string // what a token is for; "" for the login alone
}

func newClient(host string, plain bool, login *Login) *client {
	c := &client{login: login, base: "https://" + host}
	if plain {
		c.base = "http://" + host
	}
	if isDockerHub(host) {
		c.base = "https://registry-1.docker.io"
	}
	return c
}

// logIn logs in by the scheme in the challenge.
func (c *client) logIn(ctx context.Context, challenge string) (Answer, error) {
	scheme, parameters := parseChallenge(challenge)
	header, mayPush := c.login.basic(), true
	if scheme == "bearer" {
		token, err := c.token(ctx, parameters)
		if err != nil || token == "" {
			return Refused, err
		}
		header, mayPush = "Bearer "+token, c.canPush(token)
	}
	again, err := c.get(ctx, c.base+"/v2/", header)
	switch {
	case err != nil:
		return 0, err
	case again.code == http.StatusUnauthorized || again.code == http.StatusForbidden:
		return Refused, nil
	case again.code != http.StatusOK:
		return 0, &Error{Text: fmt.Sprintf("%s responded to the login with %s", c.base, again.status)}
	case !mayPush:
		return NoPush, nil
	}
	return Accepted, nil
}

// token requests a token for the login, or for anybody without one. It returns "" if that is refused.
func (c *client) token(ctx context.Context, parameters map[string]string) (string, error) {
	realm, err := url.Parse(parameters["realm"])
	if err != nil || realm.Host == "" {
		return "", &Error{Text: c.base + " did not name its token server"}
	}
	if realm.Scheme != "https" && !Loopback(realm.Hostname()) {
		return "", &Error{
			Text: fmt.Sprintf("%s has a token server without TLS (%s); norn does not send the login to it", c.base, realm.Host),
		}
	}
	got, err := c.requestToken(ctx, realm, parameters["service"])
	switch {
	case err != nil:
		return "", err
	case got.code == http.StatusUnauthorized || got.code == http.StatusForbidden || got.code == http.StatusBadRequest:
		return "", nil
	case got.code != http.StatusOK:
		return "", &Error{Text: fmt.Sprintf("token server %s responded with %s", realm.Host, got.status)}
	}
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if json.Unmarshal(got.body, &answer) != nil {
		return "", &Error{Text: "token server " + realm.Host + " did not return a token"}
	}
	return cmp.Or(answer.Token, answer.AccessToken), nil
}

// requestToken sends the login, if there is one, to the token server.
func (c *client) requestToken(ctx context.Context, realm *url.URL, service string) (reply, error) {
	query := realm.Query()
	query.Set("service", service)
	if c.repository != "" {
		query.Set("scope", "repository:"+c.repository+":"+c.actions)
	}
	if c.login != nil && c.login.token != "" { // distribution.github.io: OAuth2 token authentication
		query.Set("grant_type", "refresh_token")
		query.Set("client_id", "norn")
		query.Set("refresh_token", c.login.token)
		return c.do(ctx, http.MethodPost, realm.String(), "", query.Encode())
	}
	address := *realm
	address.RawQuery = query.Encode()
	return c.get(ctx, address.String(), c.login.basic())
}

// canPush reports whether a token allows pushing to the repository. It returns true for a token that does not list its
// permissions (distribution.github.io: Token Authentication Implementation, access).
func (c *client) canPush(token string) bool {
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
	return len(*claims.Access) > 0 // the permissions are for something else
}

// basic returns the value of an Authorization header, or "" without a login.
func (l *Login) basic() string {
	if l == nil {
		return ""
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(l.User+":"+l.Secret()))
}

// reply is the part of an HTTP response that norn needs.
type reply struct {
	code              int
	status, challenge string
	body              []byte
	digest            string // of a manifest
}

func (c *client) get(ctx context.Context, address, authorization string) (reply, error) {
	return c.do(ctx, http.MethodGet, address, authorization, "")
}

const maxReply = 1 << 20 // bytes

func (c *client) do(ctx context.Context, method, address, authorization, form string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form))
	if err != nil {
		return reply{}, &Error{Text: fmt.Sprintf("invalid address %q", address)}
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
	out := replyTo(resp)
	out.body = body
	return out, nil
}

// host returns the registry's host, as in all addresses that begin with base.
func (c *client) host() string {
	_, host, _ := strings.Cut(c.base, "://")
	return host
}

// fetch requests a document of a repository. authorization is "" for a request without a login.
func fetch(ctx context.Context, method, address, accept, authorization string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, &Error{Text: fmt.Sprintf("invalid address %q", address)}
	}
	req.Header.Set("Accept", accept)
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := publicRedirect().Do(req)
	if err != nil {
		return nil, unreachable(req.URL.Host, err)
	}
	return resp, nil
}

// replyTo returns what a response says before its body.
func replyTo(resp *http.Response) reply {
	return reply{
		code: resp.StatusCode, status: resp.Status,
		challenge: strings.Join(resp.Header.Values("WWW-Authenticate"), ", "),
	}
}

// noRedirect returns a client that does not follow redirects, which could send the login to an unchecked server.
func noRedirect() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func unreachable(host string, err error) error {
	var (
		dns     *net.DNSError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		name    x509.HostnameError
		request *url.Error
	)
	switch {
	case errors.As(err, &dns):
		return &Error{Text: fmt.Sprintf("host name %s cannot be resolved (DNS)", dns.Name)}
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &name):
		return &Error{Text: fmt.Sprintf("this machine does not trust the certificate of %s", host), Untrusted: true}
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return &Error{Text: host + " uses plain HTTP and is not on this machine", Untrusted: true}
	case errors.As(err, &request): // omits the address with its query
		err = request.Err
	}
	return &Error{Text: fmt.Sprintf("%s cannot be reached: %s", host, strings.Join(strings.Fields(err.Error()), " "))}
}

// Loopback reports whether host, with or without a port, is localhost or a loopback address.
func Loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// parameter matches a parameter of a challenge (RFC 9110, 11.2).
var parameter = regexp.MustCompile(`(\w+)=("([^"]*)"|[^\s,]+)`)

// parseChallenge parses a WWW-Authenticate header.
func parseChallenge(header string) (scheme string, parameters map[string]string) {
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	parameters = map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(rest, -1) {
		parameters[strings.ToLower(m[1])] = cmp.Or(m[3], strings.Trim(m[2], `"`))
	}
	return strings.ToLower(scheme), parameters
}
