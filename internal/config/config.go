// Package config reads norn's settings. A flag overrides a NORN_ environment variable, which overrides config.yaml,
// which overrides the default. No other package uses viper.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Config holds the settings.
type Config struct {
	AppsDir   string // folder with the apps, for finding them by name
	Namespace string // namespace of the apps
	Env       string // environment of the app, or ""
	Registry  string // registry that images are pushed to
	Builder   string // builder to use; "" is the first one installed
	PGHost    string // host of generated DATABASE_URLs
	PGUser    string // user of generated DATABASE_URLs
	PGLocal   string // host of the databases from this machine; "" is the host in DATABASE_URL
	GitToken  string // token for HTTPS repositories
	GitKey    string // path of a private key for SSH repositories
	Tunnel    string // Cloudflare tunnel to route DNS names to
	// HostPaths are the folders of the nodes that apps may mount without a warning.
	HostPaths []string
	hostPaths string // HostPaths as text
	// CompletionTimeout limits how long shell completion looks for values.
	CompletionTimeout time.Duration
	completion        string // CompletionTimeout as text

	File string // path of the settings file, or "" if there is none
	Set  []Set  // the settings that are not defaults
}

// Set is a setting that is not a default.
type Set struct {
	Key, From string // From is the flag, the environment variable or the file that sets it
	Value     string // empty if the setting is secret
}

// setting is a row in the table of settings.
type setting struct {
	key, flag, fallback string // the environment variable is NORN_ and the key in upper case
	into                func(*Config) *string
	about               string
}

func settings(home string) []setting {
	return []setting{
		{
			"apps_dir", "apps-dir", filepath.Join(home, "projects"), func(c *Config) *string { return &c.AppsDir },
			"folder in which norn finds apps by name",
		},
		{
			"namespace", "namespace", "default", func(c *Config) *string { return &c.Namespace },
			"namespace of the apps",
		},
		{
			environmentKey, "env", "", func(c *Config) *string { return &c.Env },
			"environment of the app",
		},
		{
			"registry_url", "registry", "", func(c *Config) *string { return &c.Registry },
			"registry to push images to, HOST[:PORT][/PATH]",
		},
		{
			"builder", "builder", "", func(c *Config) *string { return &c.Builder },
			"docker, podman, buildah or nerdctl (default: the first one installed)",
		},
		{
			"pg_host", "", "localhost", func(c *Config) *string { return &c.PGHost },
			"PostgreSQL host in a generated DATABASE_URL",
		},
		{
			"pg_user", "", "", func(c *Config) *string { return &c.PGUser },
			"PostgreSQL user in a generated DATABASE_URL",
		},
		{
			"pg_local_host", "", "", func(c *Config) *string { return &c.PGLocal },
			"PostgreSQL host from this machine (default: the host in DATABASE_URL)",
		},
		{
			"git_token", "", "", func(c *Config) *string { return &c.GitToken },
			"access token for HTTPS repositories in repo.url",
		},
		{
			"git_ssh_key", "", "", func(c *Config) *string { return &c.GitKey },
			"path to a private key for SSH repositories (default: the SSH agent's keys)",
		},
		{
			"tunnel_name", "", "norn", func(c *Config) *string { return &c.Tunnel },
			"Cloudflare tunnel to route DNS names to",
		},
		{
			"host_paths", "", "", func(c *Config) *string { return &c.hostPaths },
			"folders of nodes that hostPath may mount without a warning: /A,/B",
		},
		{
			"completion_timeout", "", "120ms", func(c *Config) *string { return &c.completion },
			"time limit for shell completion; 0 completes no values",
		},
	}
}

// From returns the flag, the environment variable or the file that sets a setting, or "" for a default.
func (c *Config) From(key string) string {
	for _, s := range c.Set {
		if s.Key == key {
			return s.From
		}
	}
	return ""
}

// Setting describes a setting for users.
type Setting struct {
	Variable, Flag string
	Key            string // in the settings file, or "" if that cannot have it
	Default, About string
}

// environmentKey is the setting that the settings file cannot have.
const environmentKey = "env"

// Settings returns all settings.
func Settings() []Setting {
	var out []Setting
	for _, s := range settings("~") {
		key := s.key
		if key == environmentKey {
			key = ""
		}
		out = append(out, Setting{"NORN_" + strings.ToUpper(s.key), s.flag, key, s.fallback, s.about})
	}
	return out
}

// Error reports an invalid setting or settings file.
type Error struct{ Where, Problem string }

// Error names the setting or file and the problem.
func (e *Error) Error() string { return e.Where + ": " + e.Problem }

// Load reads the settings; flags are the flags of the command. On an *Error, it also returns a Config with all
// settings that it could read.
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
		return c, &Error{"namespace", fmt.Sprintf(
			"invalid name %q; use lower-case letters, digits and '-' (not first or last), at most 63 characters", c.Namespace)}
	}
	for folder := range strings.SplitSeq(c.hostPaths, ",") {
		switch folder = strings.TrimSpace(folder); {
		case folder == "":
		case !path.IsAbs(folder):
			return c, &Error{"host_paths", fmt.Sprintf("invalid folder %q; use absolute paths, separated by commas", folder)}
		default:
			c.HostPaths = append(c.HostPaths, folder)
		}
	}
	if c.CompletionTimeout, err = time.ParseDuration(c.completion); err != nil {
		return c, &Error{"completion_timeout", fmt.Sprintf("invalid duration %q; use a value such as 120ms", c.completion)}
	}
	return c, nil
}

// set returns the source of a setting, in the order in which viper searches.
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

// file returns the path of the settings file, by the XDG base directory specification.
func file(home string) string {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if dir == "" {
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "norn", "config.yaml")
}

// readFile reads the settings file, if it exists. An unknown key is an error.
func readFile(v *viper.Viper, path string, table []setting) (there bool, err error) {
	v.SetConfigFile(path)
	err = v.ReadInConfig()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil && strings.Contains(err.Error(), "cannot unmarshal") { // err may quote anything
		return true, &Error{path, "not a mapping of settings to values"}
	}
	if err != nil {
		return true, &Error{path, strings.TrimPrefix(err.Error(), "While parsing config: ")}
	}
	if v.InConfig(environmentKey) { // a default environment would defeat the choice for each run
		return true, &Error{path, "env cannot be set in this file; choose an environment with --env or NORN_ENV"}
	}
	for _, key := range v.AllKeys() {
		if !slices.ContainsFunc(table, func(s setting) bool { return s.key == key }) {
			return true, &Error{path, fmt.Sprintf("unknown setting %q", key)}
		}
	}
	return true, nil
}
