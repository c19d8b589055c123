package infraspec

// Rule says what a finding is about. The names are stable: scripts and editors may rely on them.
type Rule string

// The rules. The comments are what docs/infraspec.md says of them.
const (
	RuleUnreadable    Rule = "unreadable"     // The file is empty, too large, not UTF-8 text or not a mapping of keys to values.
	RuleSyntax        Rule = "syntax"         // The file is not valid YAML.
	RuleMergeConflict Rule = "merge-conflict" // The file holds the marks of a merge that was not finished.
	RuleDocuments     Rule = "documents"      // The file holds a second YAML document; an infraspec is one.
	RuleTooMany       Rule = "too-many"       // There are more findings than are listed, or aliases that multiply without end.
	RuleUnknownKey    Rule = "unknown-key"    // A key that no infraspec has.
	RuleDuplicateKey  Rule = "duplicate-key"  // A key stands twice in one mapping.
	RuleWrongType     Rule = "wrong-type"     // A value has another type than its key wants, or a tag that norn does not know.
	RuleRequired      Rule = "required"       // A key that is needed is missing: always, or for this role.
	RuleRange         Rule = "range"          // A number is too small or too large.
	RuleChoice        Rule = "choice"         // A value is not one of those that there are.
	RuleName          Rule = "name"           // A name that Kubernetes does not take for this kind of object, or not at this length.
	RuleHost          Rule = "host"           // hosts.external is not a host name.
	RulePath          Rule = "path"           // A path or URL that cannot be right: not absolute, not relative, with characters that are not allowed.
	RuleQuantity      Rule = "quantity"       // An amount that Kubernetes does not understand, or a request above its limit.
	RuleDuration      Rule = "duration"       // A span of time that cannot be understood, or that is not whole seconds.
	RuleSchedule      Rule = "schedule"       // A cron schedule that Kubernetes does not understand.
	RuleVariable      Rule = "variable"       // A name that no environment variable can have.
	RuleTwice         Rule = "twice"          // Two entries claim the same name or place: volumes, mounts, secrets, or a name in env and in secrets.
	RuleVolumeBacking Rule = "volume-backing" // A volume has neither size nor hostPath, or both.
	RuleSecretInEnv   Rule = "secret-in-env"  // A value in env, a command or an address looks like a secret; it belongs into secrets.enc.yaml.
	RuleIgnored       Rule = "ignored"        // A key that does nothing for this role, or without another one.
	RuleDatabase      Rule = "database"       // A migration without a database to dump, or a DATABASE_URL that takes the place of the generated one.
	RulePortMismatch  Rule = "port-mismatch"  // env sets PORT to another port than the one that is probed.
	RuleNoEffect      Rule = "no-effect"      // A note: the key is accepted for the original system's sake, and norn does not act on it.
	RuleDockerfile    Rule = "dockerfile"     // build.dockerfile does not exist.
	RuleSecretsFile   Rule = "secrets-file"   // secrets.enc.yaml is missing, is not encrypted, or does not match the names under secrets.
	RuleFolder        Rule = "folder"         // The app is in a folder of another name, so that commands do not find it by its name.
	RuleHostTaken     Rule = "host-taken"     // Two apps claim the same host name or Service.
)
