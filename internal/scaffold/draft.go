package scaffold

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"norn/pkg/infraspec"
)

// draft is an infraspec made from the file of another tool.
type draft struct {
	*sourceFile
	app        string
	main       workload
	others     []*workload
	dockerfile string
	context    string
	target     string
	args       []pair
	secrets    []string
	references map[string]string // of the names in secrets whose values are in other Secrets: SECRET/KEY
	migration  *yaml.Node
	volumes    []volume
	retain     int
	service    string     // the name of the Service; by default it is that of the app
	noService  bool       // the app has none
	pod        *yaml.Node // the key pod, or nil
	route      *yaml.Node // the key route, or nil
}

// workload is a process of a draft.
type workload struct {
	name     string // "" for the main one
	role     infraspec.Role
	port     int
	health   *yaml.Node
	command  *yaml.Node
	replicas int
	stop     string
	external []string
	requests []pair
	limits   []pair
	env      []pair
	mounts   []string // the names of volumes
}

type pair struct{ name, value string }

type volume struct{ name, mountPath, size, class, access, hostPath string }

// process returns the other workload with a name, and adds it.
func (d *draft) process(name string) *workload {
	name = appName(name)
	if name == infraspec.MainProcess {
		name += "-process"
	}
	for _, w := range d.others {
		if w.name == name {
			return w
		}
	}
	w := &workload{name: name, role: infraspec.Worker}
	d.others = append(d.others, w)
	return w
}

// setName sets the app's name. Text that is not a DNS label becomes one.
func (d *draft) setName(at *yaml.Node, key, name string) {
	if d.app = appName(name); d.app != name {
		d.note(at, key, "the app's name must be a DNS label; it is now %s", d.app)
	}
}

// variable gives w an environment variable. A value that looks like a secret becomes a name under secrets. A value
// is absent if the file refers to something without a value.
func (d *draft) variable(w *workload, at *yaml.Node, name, value string) {
	switch {
	case !infraspec.IsVariable(name):
		d.note(at, "env", "an entry has no valid name for a variable, and is left out")
	case d.refersToSecret(at) || secretVariable(name, value):
		d.secret(at, name, "the value may be secret, and is not written")
	case len(d.unset[at]) > 0:
		d.note(at, name, "the value is not in the file; set env.%s", name)
	case infraspec.TooLong(name, len(value)) != "" || strings.Contains(value, "\x00"):
		d.note(at, name, "no container can get this value; put it into a file of the image")
	default:
		w.env = slices.DeleteFunc(w.env, func(p pair) bool { return p.name == name })
		w.env = append(w.env, pair{name, value})
	}
}

// secret adds a name under secrets.
func (d *draft) secret(at *yaml.Node, name, why string) {
	if !infraspec.IsVariable(name) {
		d.note(at, "secrets", "an entry has no valid name for a variable, and is left out")
		return
	}
	if slices.Contains(d.secrets, name) {
		return
	}
	d.secrets = append(d.secrets, name)
	d.note(at, name, "%s; set it with norn secrets set %s", why, name)
}

// refersToSecret reports whether a value refers to a variable whose name says that it is secret.
func (s *sourceFile) refersToSecret(at *yaml.Node) bool {
	return slices.ContainsFunc(s.refs[at], secretName)
}

// secretName reports whether the name of a variable says that the value is secret.
func secretName(name string) bool { return infraspec.LooksSecret(name, "some-value") }

// credentials matches a user and a password before a host, also without the scheme of an address.
var credentials = regexp.MustCompile(`[^\s/:@]+:[^\s/@]+@`)

// secretVariable is stricter than norn validate: a number may be a password too.
func secretVariable(name, value string) bool {
	harmless := []string{"", "true", "false"}
	return infraspec.LooksSecret(name, value) || credentials.MatchString(value) ||
		secretName(name) && !slices.Contains(harmless, strings.ToLower(value))
}

// line returns a command line as a value for command, or nil with a note if it must not be written.
func (d *draft) line(at *yaml.Node, key string) *yaml.Node {
	if at == nil || isNull(at) {
		return nil
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle}
	for _, n := range items(at) {
		switch {
		case n.Kind != yaml.ScalarNode:
			d.note(n, key, "it is neither text nor a list of texts, and is left out")
			return nil
		case len(d.unset[n]) > 0:
			d.note(n, key, "it refers to a variable without a value, and is left out")
			return nil
		case strings.ContainsRune(n.Value, 0):
			d.note(n, key, "it contains a NUL byte, and is left out")
			return nil
		}
		list.Content = append(list.Content, textNode(n.Value))
	}
	if infraspec.LooksSecret("", joined(list)) {
		d.note(at, key, "it contains a secret, and is left out; let the program read the secret from its environment")
		return nil
	}
	if at.Kind == yaml.ScalarNode {
		if strings.TrimSpace(at.Value) == "" {
			return nil
		}
		return commandNode(strings.TrimSpace(at.Value))
	}
	if len(list.Content) == 0 || list.Content[0].Value == "" {
		return nil
	}
	return list
}

func joined(list *yaml.Node) string {
	var words []string
	for _, c := range list.Content {
		words = append(words, c.Value)
	}
	return strings.Join(words, " ")
}

// text returns a scalar to copy, or "" with a note if it must not be written.
func (d *draft) text(n *yaml.Node, key string) string {
	value := word(n)
	switch {
	case value == "":
	case len(d.unset[n]) > 0:
		d.note(n, key, "it refers to a variable without a value, and is left out")
		return ""
	case infraspec.LooksSecret("", value):
		d.note(n, key, "it contains a secret, and is left out")
		return ""
	}
	return value
}

// portAt returns a port, or 0 with a note.
func (d *draft) portAt(n *yaml.Node, key string) int {
	port := whole(n, 1, 65535)
	if port == 0 && n != nil {
		d.note(n, key, "it is not a port between 1 and 65535, and is left out")
	}
	return port
}

// seconds returns a duration in whole seconds, or "" with a note. A number without a unit is of the given unit.
func (d *draft) seconds(n *yaml.Node, key string, unit time.Duration) string {
	if n == nil {
		return ""
	}
	length, err := time.ParseDuration(word(n))
	if number := whole(n, 1, 1<<30); number > 0 {
		length, err = time.Duration(number)*unit, nil
	}
	if length = length.Round(time.Second); err != nil || length < time.Second || length > 24*time.Hour {
		d.note(n, key, "it is not a duration from 1s to 24h, and is left out")
		return ""
	}
	return strconv.Itoa(int(length/time.Second)) + "s"
}

// size matches amounts of memory in the syntax of Docker, Fly.io and others, whose units are powers of 1024.
var size = regexp.MustCompile(`^(?i)([0-9]{1,9}(?:\.[0-9]{1,3})?) ?([kmgt]?)(i?b)?$`)

// memory returns an amount of bytes as a quantity, or "" with a note. A number without a unit is of the given unit.
func (d *draft) memory(n *yaml.Node, key, unit string) string {
	if n == nil {
		return ""
	}
	if m := size.FindStringSubmatch(word(n)); m != nil {
		if m[2] == "" && m[3] == "" {
			m[2] = unit
		}
		suffix := ""
		if m[2] != "" {
			suffix = strings.ToUpper(m[2]) + "i"
		}
		if q, err := resource.ParseQuantity(m[1] + suffix); err == nil && q.Sign() > 0 {
			return strings.TrimSuffix(m[1], ".0") + suffix
		}
	}
	d.note(n, key, "it is not an amount such as 512m, and is left out")
	return ""
}

// cpu returns a number of CPUs as a quantity, or "" with a note.
func (d *draft) cpu(n *yaml.Node, key string) string {
	if n == nil {
		return ""
	}
	number, err := strconv.ParseFloat(word(n), 64)
	if err != nil || !(number >= 0.001 && number <= 1024) {
		d.note(n, key, "it is not a number of CPUs, and is left out")
		return ""
	}
	return resource.NewMilliQuantity(int64(number*1000), resource.DecimalSI).String()
}

// defaultSize is the size of volumes for which the other tool names none.
const defaultSize = "1Gi"

// mount gives w a volume. Only the main process can bring one; other processes share it.
func (d *draft) mount(w *workload, at *yaml.Node, v volume) {
	key := "volumes." + v.name
	if v.name = appName(v.name); !path.IsAbs(v.mountPath) || strings.ContainsAny(v.mountPath, ":\x00") {
		d.note(at, key, "the path in the container is not absolute; the volume is left out")
		return
	}
	i := slices.IndexFunc(d.volumes, func(o volume) bool { return o.name == v.name })
	taken := slices.ContainsFunc(d.volumes, func(o volume) bool { return o.mountPath == v.mountPath && o.name != v.name })
	switch {
	case w.name == "" && (i >= 0 || taken), i >= 0 && d.volumes[i].mountPath != v.mountPath:
		d.note(at, key, "a volume has one path, and a path one volume; this mount is left out")
	case w.name == "":
		if v.size == "" && v.hostPath == "" {
			v.size = defaultSize
			d.note(at, key, "size: %s is a guess; choose the size before the first deploy", v.size)
		}
		d.volumes = append(d.volumes, v)
	case i < 0:
		d.note(at, key, "left out, because the main process does not have the volume")
	case !slices.Contains(w.mounts, v.name):
		w.mounts = append(w.mounts, v.name)
	}
}

// host sets the public host name.
func (d *draft) host(w *workload, n *yaml.Node, key string) {
	name := d.text(n, key)
	switch {
	case name == "":
	case len(validation.IsDNS1123Subdomain(strings.TrimPrefix(name, "*."))) > 0:
		d.note(n, key, "it is not a host name, and is left out")
	case w.name != "" || len(w.external) > 0:
		d.note(n, key, "norn routes one public host to the main process; create an Ingress for others")
	default:
		w.external = []string{name}
	}
}

// defaultPort is the port of a web server for which the other tool names none.
const defaultPort = 8080

// finish returns the infraspec, which norn accepts.
func (d *draft) finish() (string, []string, error) {
	if len(d.secrets) > len(d.references) {
		d.note(nil, "", "secrets: run norn secrets init, then norn secrets set NAME or norn secrets import FILE")
	}
	if len(d.defaults) > 0 {
		slices.Sort(d.defaults)
		d.note(nil, "", "the defaults of these variables are written: %s", strings.Join(slices.Compact(d.defaults), ", "))
	}
	text, err := d.yaml()
	if err != nil {
		return "", nil, d.errorf(0, "%v", err)
	}
	if _, _, err := infraspec.Parse(infraspec.FileName, []byte(text)); err != nil {
		var found infraspec.Errors
		if errors.As(err, &found) {
			first := slices.IndexFunc(found, func(f infraspec.Finding) bool { return f.Severity == infraspec.Error })
			return "", nil, d.errorf(0, "its settings do not make a valid infraspec: %s", found[first].Message)
		}
		return "", nil, d.errorf(0, "its settings do not make a valid infraspec")
	}
	return text, d.texts(), nil
}

// yaml writes the infraspec in sections.
func (d *draft) yaml() (string, error) {
	d.secrets = slices.DeleteFunc(d.secrets, func(name string) bool { return name == "PORT" && d.main.port > 0 })
	head := mapping("app", textNode(d.app), "role", textNode(string(d.main.role)))
	d.main.fill(head)
	env := mappingOf(d.plain(&d.main))
	sections := []*yaml.Node{
		head,
		mapping("hosts", mapping("internal", d.clusterName(&d.main), "external", oneOrList(d.main.external))),
		mapping("route", d.route),
		mapping("build", mapping("dockerfile", optionalText(d.dockerfile), "context", optionalText(d.context),
			"target", optionalText(d.target), "args", mappingOf(d.args))),
		mapping("env", env), mapping("secrets", d.declared()),
		mapping("migrations", mapping("command", d.migration)),
		mapping("volumes", d.claims()), mapping("resources", d.main.resources()), mapping("pod", d.pod),
		mapping("processes", d.processes()),
	}
	if d.retain > 0 {
		sections = append(sections, mapping("artifacts", mapping("retain", number(d.retain))))
	}
	out := &bytes.Buffer{}
	fmt.Fprintf(out, "# yaml-language-server: $schema=%s\n", SchemaPath)
	out.WriteString("# Settings of this app for norn. Check: norn validate. Show the Kubernetes objects: norn render.\n")
	for i, section := range sections {
		if len(section.Content) == 0 {
			continue
		}
		if i > 0 {
			out.WriteString("\n")
		}
		enc := yaml.NewEncoder(out)
		enc.SetIndent(2)
		if err := enc.Encode(section); err != nil {
			return "", fmt.Errorf("write the infraspec: %w", err)
		}
	}
	return out.String(), nil
}

// declared returns the names under secrets: a list, or a mapping if the values of some are in other Secrets.
func (d *draft) declared() *yaml.Node {
	if !slices.ContainsFunc(d.secrets, func(name string) bool { return d.references[name] != "" }) {
		return listOf(d.secrets)
	}
	all := mapping()
	for _, name := range d.secrets {
		source := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
		if from := d.references[name]; from != "" {
			source = mapping("from", textNode(from))
			source.Style = yaml.FlowStyle
		}
		all.Content = append(all.Content, textNode(name), source)
	}
	return all
}

// fill adds the keys that an app and a process have in common.
func (w *workload) fill(n *yaml.Node) {
	if w.port > 0 && w.role == infraspec.Webserver {
		set(n, "port", number(w.port))
	}
	for _, one := range []struct {
		key   string
		value *yaml.Node
	}{{"healthcheck", w.health}, {"command", w.command}, {"stop", optionalText(w.stop)}} {
		if one.value != nil {
			set(n, one.key, one.value)
		}
	}
	if w.replicas > 1 {
		set(n, "replicas", number(w.replicas))
	}
}

// clusterName returns the name of the Service of a workload, or nil.
func (d *draft) clusterName(w *workload) *yaml.Node {
	name := infraspec.WorkloadName(d.app, w.name)
	switch {
	case w.name == "" && d.service != "":
		return textNode(d.service)
	case d.noService:
		return nil
	}
	if name[0] >= '0' && name[0] <= '9' { // a Service's name must not begin with a digit
		name = "app-" + name
	}
	if w.role != infraspec.Webserver || len(name) > validation.DNS1035LabelMaxLength {
		return nil
	}
	return textNode(name)
}

// plain returns the variables of w that are not secrets, which another process may have said.
func (d *draft) plain(w *workload) []pair {
	return slices.DeleteFunc(slices.Clone(w.env), func(p pair) bool { return slices.Contains(d.secrets, p.name) })
}

func (w *workload) resources() *yaml.Node {
	return mapping("requests", mappingOf(w.requests), "limits", mappingOf(w.limits))
}

func (d *draft) claims() *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, v := range d.volumes {
		list.Content = append(list.Content,
			mapping("name", textNode(v.name), "mountPath", textNode(v.mountPath), "size", optionalText(v.size),
				"class", optionalText(v.class), "access", optionalText(v.access), "hostPath", optionalText(v.hostPath)))
	}
	return list
}

func (d *draft) processes() *yaml.Node {
	all := mapping()
	for _, w := range d.others {
		p := mapping()
		if w.role != infraspec.Worker {
			set(p, "role", textNode(string(w.role)))
		}
		w.fill(p)
		for _, one := range []struct {
			key   string
			value *yaml.Node
		}{
			{"hosts", mapping("internal", d.clusterName(w))}, {"env", mappingOf(d.ownEnv(w))},
			{"resources", w.resources()}, {"volumes", listOf(w.mounts)},
		} {
			if len(one.value.Content) > 0 {
				set(p, one.key, one.value)
			}
		}
		all.Content = append(all.Content, textNode(w.name), p)
	}
	return all
}

// ownEnv returns the variables of a process that differ from the app's.
func (d *draft) ownEnv(w *workload) []pair {
	return slices.DeleteFunc(d.plain(w), func(p pair) bool { return slices.Contains(d.main.env, p) })
}

// mapping returns a mapping of names and nodes, without nil and empty nodes.
func mapping(all ...any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(all); i += 2 {
		value := all[i+1].(*yaml.Node)
		if value != nil && (value.Kind == yaml.ScalarNode || len(value.Content) > 0) {
			n.Content = append(n.Content, textNode(all[i].(string)), value)
		}
	}
	return n
}

func mappingOf(all []pair) *yaml.Node {
	n := mapping()
	for _, p := range all {
		n.Content = append(n.Content, textNode(p.name), textNode(p.value))
	}
	return n
}

func listOf(all []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for _, one := range all {
		n.Content = append(n.Content, textNode(one))
	}
	return n
}

// oneOrList returns one text as a scalar, several as a list, and nil for none.
func oneOrList(all []string) *yaml.Node {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return textNode(all[0])
	}
	return listOf(all)
}

func optionalText(text string) *yaml.Node {
	if text == "" {
		return nil
	}
	return textNode(text)
}

func number(n int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(n)}
}

// textNode returns text as a scalar. Text with control characters is quoted, so that these are escaped.
func textNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

// limit sets an amount of a resource.
func limit(all *[]pair, name, amount string) {
	if amount != "" && !slices.ContainsFunc(*all, func(p pair) bool { return p.name == name }) {
		*all = append(*all, pair{name, amount})
	}
}

// check returns a healthcheck, or nil. For the app's own port, the path is enough.
func (w *workload) check(checkPath string, port int, start, every string) *yaml.Node {
	if checkPath != "" && start == "" && every == "" && (port == 0 || port == w.port) && w.role == infraspec.Webserver {
		return textNode(checkPath)
	}
	own := cmp.Or(port, w.port)
	if own == 0 {
		return nil
	}
	kind, value := "path", textNode(checkPath)
	if checkPath == "" {
		kind, value = "tcp", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"}
	}
	n := mapping(kind, value)
	if own != w.port || w.role != infraspec.Webserver {
		set(n, "port", number(own))
	}
	return withTimes(n, start, every)
}

func withTimes(n *yaml.Node, start, every string) *yaml.Node {
	if start != "" {
		set(n, "start", textNode(start))
	}
	if every != "" {
		set(n, "every", textNode(every))
	}
	return n
}
