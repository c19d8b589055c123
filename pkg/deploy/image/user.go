package image

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"

	"norn/internal/command"
	"norn/internal/registry"
	"norn/internal/regularfile"
)

// User is the user that an image runs as, as far as it is known.
type User struct {
	Name  string // as in the image's configuration: "", "app", "1000", "1000:1000"
	Known bool
	// Base is the base image that the user comes from, if no stage of the Dockerfile sets one.
	Base string
	// Line is the line of the Dockerfile with the instruction USER, or 0.
	Line int
	// Before is the line of the Dockerfile before which an instruction USER takes effect, or 0 for its end.
	Before int
}

// Refused returns why a container that must not run as root cannot run as the user, or "". The kubelet reads the number
// only: it does not know the names in the image (k8s.io/kubernetes/pkg/kubelet: verifyRunAsNonRoot).
func (u User) Refused() string {
	name, _, _ := strings.Cut(u.Name, ":")
	number, err := strconv.ParseInt(name, 10, 64)
	switch {
	case !u.Known:
		return ""
	case name == "" || name == "root" || err == nil && number == 0:
		return "the image runs as root"
	case err != nil:
		return fmt.Sprintf("the image's user %q is a name, and Kubernetes needs a number to see that it is not root", name)
	}
	return ""
}

// DockerfileUser returns the user that a stage of a Dockerfile sets, or the last stage if target is "". It is not known
// if a build arg sets it, or if it comes from a base image.
func DockerfileUser(path, target string) User {
	text, err := regularfile.Read(path, regularfile.MaxText)
	if err != nil {
		return User{}
	}
	return dockerfileUser(string(text), target)
}

// stage is a stage of a Dockerfile.
type stage struct {
	name, from string
	user       *instruction
	before     int // the line of its first ENTRYPOINT or CMD
}

func dockerfileUser(text, target string) User {
	var stages []stage
	for _, i := range parseDockerfile(text) {
		if i.name == "FROM" {
			stages = append(stages, newStage(i.arguments))
			continue
		}
		if len(stages) == 0 {
			continue
		}
		s := &stages[len(stages)-1]
		switch i.name {
		case "USER":
			s.user = &i
		case "ENTRYPOINT", "CMD":
			if s.before == 0 {
				s.before = i.line
			}
		}
	}
	at := len(stages) - 1
	if target != "" {
		at = slices.IndexFunc(stages, func(s stage) bool { return strings.EqualFold(s.name, target) })
	}
	if at < 0 {
		return User{}
	}
	u := userOf(stages, at)
	u.Before = stages[at].before
	return u
}

// newStage returns the stage that a FROM begins: [--platform=PLATFORM] IMAGE [AS NAME].
func newStage(arguments string) stage {
	words := strings.Fields(arguments)
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		words = words[1:]
	}
	var s stage
	if len(words) > 0 {
		s.from = words[0]
	}
	if len(words) == 3 && strings.EqualFold(words[1], "as") {
		s.name = words[2]
	}
	return s
}

// userOf returns the user of a stage: its own, or that of what it is built from.
func userOf(stages []stage, at int) User {
	s := stages[at]
	if s.user != nil {
		name := strings.Trim(s.user.arguments, `"'`)
		return User{Name: name, Known: !strings.Contains(name, "$"), Line: s.user.line}
	}
	for i := at - 1; i >= 0; i-- {
		if stages[i].name != "" && strings.EqualFold(stages[i].name, s.from) {
			return userOf(stages, i)
		}
	}
	if s.from == "scratch" {
		return User{Known: true, Base: s.from}
	}
	if strings.Contains(s.from, "$") {
		return User{}
	}
	return User{Base: s.from}
}

// RemoteUser returns the user of an image in a registry. It is not known if the registry does not return the image.
// builder is the builder whose login RemoteUser uses, or "". RemoteUser passes the login to hide, unless that is nil.
func RemoteUser(ctx context.Context, image, builder string, hide func(name, value string)) User {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return User{}
	}
	asked, cancel := context.WithTimeout(ctx, pinTimeout)
	defer cancel()
	login, _ := findLogin(asked, builder, named)
	if login != nil && hide != nil {
		hide("registry-password", login.Secret())
	}
	name, err := registry.User(asked, reference.TagNameOnly(named), login)
	return User{Name: name, Known: err == nil}
}

// validUser matches what a builder prints as an image's user, and not an error or a warning.
var validUser = regexp.MustCompile(`^[A-Za-z0-9_.:-]*$`)

// BuiltUser returns the user of an image in a builder's store, or of the first image of an index. It is not known for
// an index of docker, whose store might not hold it.
func BuiltUser(ctx context.Context, b Builder, made Request) User {
	name := storeName(made.Image)
	if made.isIndex() {
		name = platformName(made.Image, made.Platforms[0])
	}
	args := []string{"image", "inspect", "--format", "{{.Config.User}}", made.Image}
	switch b.Name() {
	case "podman":
		args = []string{"image", "inspect", "--format", "{{.Config.User}}", name}
	case "buildah":
		args = []string{"inspect", "--type", "image", "--format", "{{.OCIv1.Config.User}}", name}
	}
	text, err := command.Output(ctx, "", io.Discard, b.Name(), args...)
	user := strings.TrimSpace(string(text))
	return User{Name: user, Known: err == nil && validUser.MatchString(user)}
}

// Fix returns the change of the Dockerfile that sets a user that is not root.
func (u User) Fix(dockerfile string) string {
	const line = "USER 65532"
	switch {
	case u.Line > 0:
		return fmt.Sprintf("replace line %d of %s with %s, and give that user the files that the app writes", u.Line,
			dockerfile, line)
	case u.Before > 0:
		return fmt.Sprintf("add %s before line %d of %s, and give that user the files that the app writes", line, u.Before,
			dockerfile)
	case u.Base != "":
		return fmt.Sprintf("add %s at the end of %s, and give that user the files that the app writes", line, dockerfile)
	}
	return ""
}
