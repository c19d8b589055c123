// Package config reads norn's settings once: a flag wins over a NORN_ environment variable, that
// over config.yaml, that over the default. Nothing else in norn knows viper.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Config are the settings.
type Config struct {
	AppsDir   string // where apps are found by name
	Namespace string // where apps live
	Registry  string // where images are pushed
	Builder   string // which builder to use; "" for the first there is
	PGHost    string // host of generated DATABASE_URLs
	PGUser    string // user of generated DATABASE_URLs
	PGLocal   string // host of the databases as this machine reaches them; "" for the one that DATABASE_URL names
	GitToken  string // for HTTPS repositories
	GitKey    string // path of a private key for SSH repositories
	Tunnel    string // name of the Cloudflare tunnel that DNS names are routed to
	// CompletionTimeout is how long a shell's completion may look for values.
	CompletionTimeout time.Duration
	completion        string // as it is set

	File string // the settings file that was read, or ""
	Set  []Set  // what is not the default
}

// Set is a setting that somebody has set.
type Set struct {
	Key, From string // From is the flag, the environment variable or the file
	Value     string // empty where the setting is a secret
}

// setting is one row of the table that everything about a setting is read from.
type setting struct {
	key, flag, fallback string // the environment variable is NORN_ and the key in capitals
	into                func(*Config) *string
	about               string
}

func settings(home string) []setting {
	return []setting{
		{"apps_dir", "apps-dir", filepath.Join(home, "projects"), func(c *Config) *string { return &c.AppsDir }, "folder in which apps are found by name"},
		{"namespace", "namespace", "default", func(c *Config) *string { return &c.Namespace }, "namespace of the apps"},
		{"registry_url", "registry", "", func(c *Config) *string { return &c.Registry }, "where images are pushed, HOST[:PORT][/PATH]"},
		{"builder", "builder", "", func(c *Config) *string { return &c.Builder }, "docker, podman, buildah or nerdctl; without it the first there is"},
		{"pg_host", "", "localhost", func(c *Config) *string { return &c.PGHost }, "host of a generated DATABASE_URL"},
		{"pg_user", "", "", func(c *Config) *string { return &c.PGUser }, "user of a generated DATABASE_URL"},
		{"pg_local_host", "", "", func(c *Config) *string { return &c.PGLocal }, "host of the databases for this machine (that in DATABASE_URL)"},
		{"git_token", "", "", func(c *Config) *string { return &c.GitToken }, "opens HTTPS repositories of repo.url"},
		{"git_ssh_key", "", "", func(c *Config) *string { return &c.GitKey }, "path of a private key for SSH repositories; without it the agent's keys"},
		{"tunnel_name", "", "norn", func(c *Config) *string { return &c.Tunnel }, "Cloudflare tunnel that DNS names are routed to"},
		{"completion_timeout", "", "120ms", func(c *Config) *string { return &c.completion }, "how long a shell's completion may look for values; 0 for none"},
	}
}

// Setting is how a setting can be made, and what it is for.
type Setting struct{ Variable, Flag, Key, Default, About string }

// Settings are all that there are.
func Settings() []Setting {
	var out []Setting
	for _, s := range settings("~") {
		out = append(out, Setting{"NORN_" + strings.ToUpper(s.key), s.flag, s.key, s.fallback, s.about})
	}
	return out
}

// Error says what is wrong with a setting, or with the settings file.
type Error struct{ Where, Problem string }

// Error names the place and the problem.
func (e *Error) Error() string { return e.Where + ": " + e.Problem }

// Load reads the settings, flags being those of the command that runs. With an *Error, the Config holds what could be read all the same.
func Load(flags *pflag.FlagSet) (*Config, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = string(filepath.Separator)
	}
	v := viper.New()
	v.SetEnvPrefix("norn")
	table := settings(home)
	for _, s := range table {
		v.SetDefault(s.key, s.fallback)
		if err := v.BindEnv(s.key); err != nil {
			return nil, fmt.Errorf("read setting %s: %w", s.key, err)
		}
		if f := flags.Lookup(s.flag); f != nil {
			if err := v.BindPFlag(s.key, f); err != nil {
				return nil, fmt.Errorf("read flag --%s: %w", s.flag, err)
			}
		}
	}
	c := &Config{}
	there, fileErr := readFile(v, file(home), table)
	if there {
		c.File = file(home)
	}
	for _, s := range table {
		*s.into(c) = v.GetString(s.key)
		if set := s.set(v, flags, c); set.From != "" {
			c.Set = append(c.Set, set)
		}
	}
	if rest, ok := strings.CutPrefix(c.AppsDir, "~/"); ok {
		c.AppsDir = filepath.Join(home, rest)
	}
	if c.AppsDir, err = filepath.Abs(c.AppsDir); err != nil {
		return nil, fmt.Errorf("find the apps folder: %w", err)
	}
	if fileErr != nil {
		return c, fileErr
	}
	if problems := validation.IsDNS1123Label(c.Namespace); len(problems) > 0 {
		return c, &Error{"namespace", fmt.Sprintf("%q is not the name of one: lower-case letters, digits and '-' in between, at most 63", c.Namespace)}
	}
	if c.CompletionTimeout, err = time.ParseDuration(c.completion); err != nil {
		return c, &Error{"completion_timeout", fmt.Sprintf("%q is not a duration such as 120ms", c.completion)}
	}
	return c, nil
}

// set says where a setting comes from, in the order in which viper looks.
func (s setting) set(v *viper.Viper, flags *pflag.FlagSet, c *Config) Set {
	out := Set{Key: s.key, Value: *s.into(c)}
	variable := "NORN_" + strings.ToUpper(s.key)
	f := flags.Lookup(s.flag)
	switch {
	case f != nil && f.Changed:
		out.From = "--" + s.flag
	case os.Getenv(variable) != "":
		out.From = variable
	case v.InConfig(s.key):
		out.From = c.File
	}
	if s.key == "git_token" {
		out.Value = ""
	}
	return out
}

// file is the settings file's path by the XDG base directory specification.
func file(home string) string {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if dir == "" {
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "norn", "config.yaml")
}

// readFile reads the settings file if there is one; a key that is no setting is an error.
func readFile(v *viper.Viper, path string, table []setting) (there bool, err error) {
	v.SetConfigFile(path)
	err = v.ReadInConfig()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil && strings.Contains(err.Error(), "cannot unmarshal") { // what it quotes may be anything
		return true, &Error{path, "it is not a mapping of settings to values"}
	}
	if err != nil {
		return true, &Error{path, strings.TrimPrefix(err.Error(), "While parsing config: ")}
	}
	for _, key := range v.AllKeys() {
		if !slices.ContainsFunc(table, func(s setting) bool { return s.key == key }) {
			return true, &Error{path, fmt.Sprintf("unknown setting %q", key)}
		}
	}
	return true, nil
}
