package infraspec

import (
	"regexp"
	"slices"
	"strings"
)

// validPlatform matches a platform of a node, with the variants of the OCI's image index (linux/arm/v7).
var validPlatform = regexp.MustCompile(`^(linux|windows)/[a-z0-9]+(/v[0-9]+)?$`)

// architectures are other names of the architectures in Kubernetes, which has Go's names (go.dev: GOARCH).
var architectures = map[string]string{
	"x86_64": "amd64", "x64": "amd64", "aarch64": "arm64", "armhf": "arm/v7", "armv7": "arm/v7", "i386": "386",
}

func (d *decoder) platforms(s *Spec) {
	const list = "build.platforms"
	for i, p := range s.Build.Platforms {
		key := element(list, i)
		system, architecture, cut := strings.Cut(p, "/")
		switch name, other := architectures[architecture]; {
		case cut && other:
			d.at(key, Error, RulePlatform, "platform %s: Kubernetes calls it %s", quoted(p), quoted(system+"/"+name))
		case !validPlatform.MatchString(p):
			d.at(key, Error, RulePlatform, "platform %s is not os/architecture, such as linux/amd64 or linux/arm64", quoted(p))
		case slices.Contains(s.Build.Platforms[:i], p):
			d.at(key, Error, RuleTwice, "platform %s is listed twice", quoted(p))
		}
	}
}
