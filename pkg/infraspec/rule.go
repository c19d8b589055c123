package infraspec

// Rule names the kind of a finding. The names are stable: scripts and editors can rely on them.
type Rule string

// The rules. docs/infraspec.md is generated from the comments.
const (
	// The file is empty, too large, not UTF-8 text or not a mapping of keys to values.
	RuleUnreadable Rule = "unreadable"
	// The file is not valid YAML.
	RuleSyntax Rule = "syntax"
	// The file contains the markers of an unresolved merge conflict.
	RuleMergeConflict Rule = "merge-conflict"
	// The file contains a second YAML document.
	RuleDocuments Rule = "documents"
	// There are more findings than norn lists, or aliases that multiply endlessly.
	RuleTooMany Rule = "too-many"
	// The key is not a key of an infraspec.
	RuleUnknownKey Rule = "unknown-key"
	// The key appears twice in one mapping.
	RuleDuplicateKey Rule = "duplicate-key"
	// The value has the wrong type, or a tag that norn does not know.
	RuleWrongType Rule = "wrong-type"
	// A key is missing that is always required, or required for this role.
	RuleRequired Rule = "required"
	// The number is too small or too large.
	RuleRange Rule = "range"
	// The value is not one of the allowed values.
	RuleChoice Rule = "choice"
	// The name is not valid in Kubernetes for this kind of object, or it is too long.
	RuleName Rule = "name"
	// hosts.external is not a host name.
	RuleHost Rule = "host"
	// The path or URL is not valid: it must be absolute or relative, or it contains characters that are not allowed.
	RulePath Rule = "path"
	// The platform is not written as os/architecture, or it has another name in Kubernetes.
	RulePlatform Rule = "platform"
	// Kubernetes does not accept the amount, or a request exceeds its limit.
	RuleQuantity Rule = "quantity"
	// The duration is not valid, or not a number of whole seconds.
	RuleDuration Rule = "duration"
	// Kubernetes does not accept the cron schedule.
	RuleSchedule Rule = "schedule"
	// The name or the value is not valid for an environment variable.
	RuleVariable Rule = "variable"
	// Two entries use the same name or path: volumes, mounts, secrets, platforms, or a name in both env and secrets.
	RuleTwice Rule = "twice"
	// A volume sets neither size nor hostPath, or both.
	RuleVolumeBacking Rule = "volume-backing"
	// A route does not set exactly one of gateway and ingress, or the app is not a webserver.
	RuleRoute Rule = "route"
	// A healthcheck does not set exactly one of path, tcp and command.
	RuleHealthcheck Rule = "healthcheck"
	// An environment sets a key that it cannot set, an empty key, an invalid fingerprint, or the place of another one.
	RuleEnvironment Rule = "environment"
	// hostPath is a folder that controls the node, or one outside the folders of NORN_HOST_PATHS.
	RuleHostPath Rule = "host-path"
	// A claim makes each deploy an outage (a note), or replicas share a claim that only one node or Pod can mount.
	RuleClaim Rule = "claim"
	// A value in env, an annotation, a command or an address looks like a secret. Move it to secrets.enc.yaml.
	RuleSecretInEnv Rule = "secret-in-env"
	// The key has no effect for this role, or without another key.
	RuleIgnored Rule = "ignored"
	// A migration has no database to dump (a note), or a DATABASE_URL overrides the generated one.
	RuleDatabase Rule = "database"
	// env.PORT differs from the port that Kubernetes probes.
	RulePortMismatch Rule = "port-mismatch"
	// A note: norn accepts the key for compatibility with the original system, but ignores it.
	RuleNoEffect Rule = "no-effect"
	// The Pod Security Standard of pod.security forbids this.
	RuleSecurity Rule = "security"
	// The app cannot have processes, or another infraspec uses the name of a process's objects.
	RuleProcess Rule = "process"
	// The overlay cannot be read, has no effect, or changes what norn sets.
	RuleOverlay Rule = "overlay"
	// build.dockerfile does not exist.
	RuleDockerfile Rule = "dockerfile"
	// secrets.enc.yaml, or the file of an environment, is missing, not encrypted, or does not match the names under
	// secrets.
	RuleSecretsFile Rule = "secrets-file"
	// The app's folder has a different name, so commands do not find the app by its name.
	RuleFolder Rule = "folder"
	// Two apps use the same name, host name or Service.
	RuleHostTaken Rule = "host-taken"
)
