// Package infraspec turns the bytes of an infraspec.yaml into a validated,
// defaulted Spec, or into all the findings that stand in the way, each with its
// place in the file. It knows nothing of Kubernetes objects or of a cluster.
package infraspec

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// The types below are the one description of the file: the decoder reads their tags (required, default, minimum,
// maximum, enum), and schema.json and docs/infraspec.md are generated from the tags and the comments.
//
//go:generate go run ./schemagen

// Role says what kind of workload an app is.
type Role string

// The roles an app can have.
const (
	Webserver Role = "webserver" // a Deployment with a port, probes and perhaps a Service
	Worker    Role = "worker"    // a Deployment without port or probes
	Cron      Role = "cron"      // a CronJob
	Function  Role = "function"  // nothing standing; a Job for each call
)

// Standing reports whether an app of the role has a standing workload: a Deployment, whose Pods run all the time.
func (r Role) Standing() bool { return r == Webserver || r == Worker }

// Spec is one app's infraspec.yaml with its defaults filled in.
type Spec struct {
	// App is the app's name, a DNS label; every object is named after it.
	App string `yaml:"app" jsonschema:"required,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$,maxLength=63"`
	// Role is the kind of workload: a webserver has a port, a worker has none, a cron app runs on a schedule, and a function
	// runs when it is invoked.
	Role Role `yaml:"role" jsonschema:"required,enum=webserver,enum=worker,enum=cron,enum=function"`
	// Deploy says whether norn deploy ships the app.
	Deploy bool `yaml:"deploy" jsonschema:"default=true"`
	// Core marks an app that others depend on. norn does not act on it.
	Core bool `yaml:"core"`
	// Port is the port the container listens on. A webserver needs one.
	Port int `yaml:"port" jsonschema:"minimum=1,maximum=65535"`
	// Healthcheck is the HTTP path that the liveness, readiness and startup probes of a webserver get, such as /healthz.
	Healthcheck string `yaml:"healthcheck" jsonschema:"pattern=^(/|$)"`
	// Replicas is the number of pods of a webserver or a worker.
	Replicas int `yaml:"replicas" jsonschema:"default=1,minimum=0,maximum=10000"`
	// Command replaces the image's entrypoint: a string goes through /bin/sh -c, a list is run as it is.
	Command Command `yaml:"command"`
	// Schedule is when a cron app runs, in cron syntax, such as "0 3 * * *". A cron app needs one.
	Schedule string `yaml:"schedule"`
	// Timeout bounds one run of a cron app.
	Timeout Seconds `yaml:"timeout"`
	// Hosts are the names the app answers to.
	Hosts Hosts `yaml:"hosts"`
	// Build says how the image is made from the source.
	Build Build `yaml:"build"`
	// Repo is the source repository, where it is not the folder of this file.
	Repo Repo `yaml:"repo"`
	// Services are what the app needs from elsewhere.
	Services Services `yaml:"services"`
	// Secrets are the names of the values in secrets.enc.yaml that the app gets as environment variables.
	Secrets []string `yaml:"secrets"`
	// Migrations is run before a new version is rolled out.
	Migrations Migrations `yaml:"migrations"`
	// Artifacts says how many old versions are kept.
	Artifacts Artifacts `yaml:"artifacts"`
	// Volumes are mounted into the container.
	Volumes []Volume `yaml:"volumes"`
	// Env are plain environment variables. Values are taken as they are written. What is secret belongs under secrets.
	Env map[string]string `yaml:"env"`
	// Alerts is accepted for the original system's sake. norn does not act on it.
	Alerts Alerts `yaml:"alerts"`
	// Function holds the settings of a function app.
	Function FunctionSpec `yaml:"function"`
	// Resources are Kubernetes' requests and limits for the container.
	Resources Resources `yaml:"resources"`

	doc *document
}

// Path is the file the spec was loaded from, as it was named.
func (s *Spec) Path() string { return s.doc.file }

// Hosts are an app's host names.
type Hosts struct {
	// External is the public host name that the tunnel routes to the app. It needs hosts.internal too.
	External string `yaml:"external"`
	// Internal is the name of the app's Service inside the cluster.
	Internal string `yaml:"internal" jsonschema:"pattern=^([a-z]([-a-z0-9]*[a-z0-9])?)?$,maxLength=63"`
}

// Build says how an app's image is made.
type Build struct {
	// Dockerfile is the Dockerfile's path, from the folder of infraspec.yaml.
	Dockerfile string `yaml:"dockerfile" jsonschema:"default=Dockerfile"`
	// Test is a shell command run in the source after the build; it must exit 0.
	Test string `yaml:"test"`
}

// Repo is an app's source repository.
type Repo struct {
	// URL is the repository's HTTPS or SSH address.
	URL string `yaml:"url"`
	// Branch is what is deployed when no ref is named.
	Branch string `yaml:"branch" jsonschema:"default=main"`
	// AutoDeploy is accepted for the original system's sake. norn does not act on it.
	AutoDeploy bool `yaml:"autoDeploy"`
	// RepoWeb is the repository's page for people.
	RepoWeb string `yaml:"repoWeb"`
	// WebhookSecret is accepted for the original system's sake. norn does not act on it.
	WebhookSecret string `yaml:"webhookSecret"`
}

// Services are what an app needs from elsewhere. norn acts on Postgres only.
type Services struct {
	// Postgres is the app's database. It gives the app a DATABASE_URL, where neither env nor secrets has one.
	Postgres *Postgres `yaml:"postgres"`
	// KV is a key-value namespace. norn does not act on it.
	KV *KV `yaml:"kv"`
	// Events are message topics. norn does not act on them.
	Events *Events `yaml:"events"`
	// Storage is an object store's bucket. norn does not act on it.
	Storage *Storage `yaml:"storage"`
}

// Postgres is the app's database.
type Postgres struct {
	// Database is the database's name; it goes into DATABASE_URL.
	Database string `yaml:"database" jsonschema:"required,minLength=1"`
	// Migrations is the folder of migration files, for the app's own use.
	Migrations string `yaml:"migrations"`
}

// KV is a key-value namespace. norn does not act on it.
type KV struct {
	// Namespace is the namespace's name.
	Namespace string `yaml:"namespace"`
}

// Events are message topics. norn does not act on them.
type Events struct {
	// Topics are the topics' names.
	Topics []string `yaml:"topics"`
}

// Storage is an object store's bucket. norn does not act on it.
type Storage struct {
	// Bucket is the bucket's name.
	Bucket string `yaml:"bucket"`
	// Provider is who keeps it.
	Provider string `yaml:"provider"`
}

// Migrations is what is run before a rollout.
type Migrations struct {
	// Command is run in the new image, with the app's env and secrets.
	Command Command `yaml:"command"`
	// Database is the database that is dumped before the migration.
	Database string `yaml:"database"`
}

// Artifacts says what is kept of old versions.
type Artifacts struct {
	// Retain is how many revisions and images are kept.
	Retain int `yaml:"retain" jsonschema:"default=5,minimum=1,maximum=10000"`
}

// Volume is one mount: a claim of its own (Size) or a folder of the node (HostPath).
type Volume struct {
	// Name is the volume's name, a DNS label.
	Name string `yaml:"name" jsonschema:"required,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$,maxLength=63"`
	// MountPath is where the container sees it; absolute.
	MountPath string `yaml:"mountPath" jsonschema:"required,pattern=^/"`
	// Size makes a PersistentVolumeClaim <app>-<name> of that size.
	Size Quantity `yaml:"size"`
	// HostPath mounts a folder of the node, absolute; it wins over size.
	HostPath string `yaml:"hostPath" jsonschema:"pattern=^(/|$)"`
}

// Alerts is accepted for the original system's sake.
type Alerts struct {
	// Window is the span failures are counted over.
	Window Seconds `yaml:"window" jsonschema:"default=5m"`
	// Threshold is how many failures in the window raise an alert.
	Threshold int `yaml:"threshold" jsonschema:"default=3,minimum=1,maximum=10000"`
}

// FunctionSpec holds the settings of a function app.
type FunctionSpec struct {
	// Timeout bounds one call.
	Timeout Seconds `yaml:"timeout" jsonschema:"default=30"`
	// Trigger is what calls it. norn does not act on it.
	Trigger string `yaml:"trigger" jsonschema:"default=http"`
	// Memory is the container's memory limit.
	Memory Memory `yaml:"memory" jsonschema:"default=256m"`
}

// Resources are Kubernetes' requests and limits, by resource name.
type Resources struct {
	// Requests are what the scheduler reserves for the container, such as cpu: 100m.
	Requests map[string]Quantity `yaml:"requests"`
	// Limits are what the container may not exceed, such as memory: 128Mi.
	Limits map[string]Quantity `yaml:"limits"`
}

// Command is a command line. It is written as a string, run by /bin/sh -c, or as a list, run as it is.
type Command []string

// Seconds is a span of time, written in the file as whole seconds or as a Go duration.
type Seconds time.Duration

// Duration is s as a time.Duration.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// Quantity is an amount as Kubernetes writes it, such as 250m or 128Mi (k8s.io/apimachinery: resource.Quantity).
type Quantity string

// Value is q's amount. A Quantity of a Spec is a valid one.
func (q Quantity) Value() resource.Quantity { return resource.MustParse(string(q)) }

// Memory is an amount of memory as docker run --memory takes it (256m are 256 MiB), or a Kubernetes quantity.
type Memory string
