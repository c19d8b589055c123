package infraspec

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// nearEnough is the largest edit distance that counts as a typo.
const nearEnough = 2

// Nearest returns the candidate that got is most likely a typo of. It returns "" if there is none, or if got itself is
// a candidate.
func Nearest(got string, candidates []string) string {
	best, bestDist := "", nearEnough+1
	for _, c := range candidates {
		dist := EditDistance(got, c)
		if dist == 0 {
			return ""
		}
		if dist < bestDist && isTypo(got, c) {
			best, bestDist = c, dist
		}
	}
	return best
}

// didYouMean returns a suffix that suggests the candidate nearest to got, or "" if none is close enough to be a typo.
func didYouMean(got string, candidates []string) string {
	if near := Nearest(got, candidates); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// IsKey reports whether name is a top-level key of an infraspec.
func IsKey(name string) bool {
	return slices.ContainsFunc(fieldsOf(reflect.TypeFor[Spec]()), func(f field) bool { return f.name == name })
}

// Alternative returns what to do instead of setting name, which is not a top-level key of an infraspec, or "".
func Alternative(name string) string { return alternatives[""][plainSpelling(name)] }

// instead returns a suffix that says what to write instead of the unknown key got of the mapping at path, or "".
func instead(path, got string, names []string) string {
	path = listIndex.ReplaceAllString(path, "[]")
	if strings.HasPrefix(path, "secrets.") {
		path = "secrets[]"
	}
	plainGot := plainSpelling(got)
	for _, name := range names {
		if plainSpelling(name) == plainGot {
			return fmt.Sprintf("; did you mean %q?", name)
		}
	}
	if name, ok := synonyms[path][plainGot]; ok {
		return fmt.Sprintf("; did you mean %q?", name)
	}
	if advice, ok := alternatives[path][plainGot]; ok {
		return "; " + advice
	}
	return didYouMean(got, names)
}

// listIndex matches the index of a list's item in a path.
var listIndex = regexp.MustCompile(`\[\d+\]`)

// plainSpelling returns key in lower case without '_' and '-', so healthCheck and health_check are the same.
func plainSpelling(key string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(key))
}

// synonyms are the names that other tools use for a key, by path and plain spelling.
var synonyms = map[string]map[string]string{
	"": {
		"name": "app", "type": "role", "kind": "role",
		"environment": "env", "envs": "env", "variables": "env", "vars": "env",
		"health": "healthcheck", "healthcheckpath": "healthcheck", "probe": "healthcheck", "livenessprobe": "healthcheck",
		"readinessprobe": "healthcheck", "ports": "port", "containerport": "port", "targetport": "port",
		"stopgraceperiod": "stop", "terminationgraceperiodseconds": "stop", "killtimeout": "stop", "stoptimeout": "stop",
		"draintimeout": "drain", "prestop": "drain",
		"instances": "replicas", "scale": "replicas", "scaling": "replicas",
		"cmd": "command", "args": "command", "entrypoint": "command", "cron": "schedule", "tz": "timezone",
		"host": "hosts", "hostname": "hosts", "domain": "hosts", "domains": "hosts", "endpoints": "hosts", "routes": "route",
		"mounts": "volumes", "migration": "migrations", "migrate": "migrations", "source": "repo", "git": "repo",
		"smoke": "verify", "smoketest": "verify", "smoketests": "verify",
	},
	"healthcheck": {
		"http": "path", "url": "path", "httpget": "path", "tcpsocket": "tcp", "test": "command", "cmd": "command",
		"exec": "command", "interval": "every", "period": "every", "periodseconds": "every", "startperiod": "start",
		"graceperiod": "start", "initialdelayseconds": "start",
	},
	"hosts": {"public": "external", "domain": "external", "service": "internal", "private": "internal"},
	"route": {
		"class": "ingress", "ingressclass": "ingress", "ingressclassname": "ingress", "listener": "section",
		"sectionname": "section", "parent": "gateway", "secret": "tls", "tlssecret": "tls", "secretname": "tls",
		"certificate": "tls",
	},
	"build":      {"file": "dockerfile", "tests": "test"},
	"migrations": {"cmd": "command", "run": "command"},
	"volumes[]": {
		"mount": "mountPath", "path": "mountPath", "target": "mountPath", "storage": "size", "host": "hostPath",
		"storageclass": "class", "storageclassname": "class", "accessmode": "access", "accessmodes": "access",
	},
	"secrets[]": {
		"secret": "from", "ref": "from", "secretref": "from", "secretkeyref": "from", "valuefrom": "from", "path": "file",
		"mount": "file", "mountpath": "file", "target": "file",
	},
	"pod":               {"serviceaccountname": "serviceAccount", "imagepullsecrets": "pullSecrets"},
	"pod.tolerations[]": {"seconds": "tolerationSeconds"},
}

// overlayIt says how to set a field of Kubernetes that has no key in an infraspec.
const overlayIt = "an infraspec has no key for it; set it in an overlay (docs/overlay.md)"

// alternatives say what to do instead of setting a key that an infraspec does not have, by path and plain spelling.
var alternatives = map[string]map[string]string{
	"": { //nolint:gosec // the names of keys, no credentials
		"image":     "norn builds the image from build.dockerfile; to deploy another one, run norn deploy --image",
		"namespace": "set the namespace in an environment (docs/environments.md), or with --namespace or NORN_NAMESPACE",
		"context":   "set the kubeconfig's context with --context",
		"ingress":   "put it under route: route.ingress", "ingressclass": "put it under route: route.ingress",
		"ingressclassname": "put it under route: route.ingress",
		"gateway":          "put it under route: route.gateway", "tls": "put it under route: route.tls",
		"httproute": "set route.gateway", "tunnel": "it is the default; remove route",
		"dockerfile":         "put it under build: build.dockerfile",
		"test":               "put it under build: build.test",
		"database":           "put it under services: services.postgres.database",
		"postgres":           "put it under services: services.postgres",
		"retain":             "put it under artifacts: artifacts.retain",
		"securitycontext":    "set pod.security, or set it in an overlay (docs/overlay.md)",
		"podsecuritycontext": "set pod.security, or set it in an overlay (docs/overlay.md)",
		"serviceaccount":     "put it under pod: pod.serviceAccount",
		"serviceaccountname": "put it under pod: pod.serviceAccount",
		"annotations":        "put it under pod: pod.annotations",
		"labels":             "put it under pod: pod.labels",
		"nodeselector":       "put it under pod: pod.nodeSelector",
		"tolerations":        "put it under pod: pod.tolerations",
		"imagepullsecrets":   "put it under pod: pod.pullSecrets",
		"pullsecrets":        "put it under pod: pod.pullSecrets",
		"affinity":           overlayIt, "strategy": overlayIt, "sidecars": overlayIt, "initcontainers": overlayIt,
	},
	"pod": {
		"securitycontext": "set security, or set it in an overlay (docs/overlay.md)", "affinity": overlayIt,
		"initcontainers": overlayIt, "containers": overlayIt, "volumes": overlayIt,
	},
	"secrets[]": {"value": "put the value in secrets.enc.yaml and nowhere else"},
	"resources": {"cpu": resourceKeys, "memory": resourceKeys},
}

// resourceKeys says where an amount goes.
const resourceKeys = "put it under resources.requests or resources.limits"

// version2 describes a file an infraspec of the original norn's version 2.
const version2 = "this is an infraspec of version 2 of the original norn, which deploys to Nomad; " +
	"norn reads version 1: set app and role, and keep the other processes under processes (see docs/moving.md)"

// ofVersion2 returns the key that shows that root is a file of version 2, or nil. That version has processes instead of
// a role, and a name instead of app.
func ofVersion2(root *yaml.Node) *yaml.Node {
	keys := map[string]*yaml.Node{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		keys[root.Content[i].Value] = root.Content[i]
	}
	if keys["app"] != nil || keys["role"] != nil {
		return nil
	}
	for _, key := range []string{"processes", "infrastructure", "endpoints"} {
		if keys[key] != nil && (key == "processes" || keys["name"] != nil) {
			return keys[key]
		}
	}
	return nil
}

// isTypo reports whether got is close enough to want to be a mistyped form of it.
func isTypo(got, want string) bool {
	dist := EditDistance(got, want)
	return dist <= nearEnough && dist*2 <= len(want)
}

// EditDistance returns the Damerau-Levenshtein distance of a and b in bytes (optimal string alignment): swapping two
// neighbours counts as one edit.
func EditDistance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
