// Package infraspec turns the bytes of an infraspec.yaml into a validated,
// defaulted Spec, or into all the findings that stand in the way, each with its
// place in the file. It knows nothing of Kubernetes objects or of a cluster.
package infraspec

import "time"

// Role says what kind of workload an app is.
type Role string

// The roles an app can have.
const (
	Webserver Role = "webserver" // a Deployment with a port, probes and perhaps a Service
	Worker    Role = "worker"    // a Deployment without port or probes
	Cron      Role = "cron"      // a CronJob
	Function  Role = "function"  // nothing standing; a Job for each call
)

var roles = []string{string(Webserver), string(Worker), string(Cron), string(Function)}

// Spec is one app's infraspec.yaml with its defaults filled in.
type Spec struct {
	// App is the app's name, a DNS label; every object is named after it.
	App string `yaml:"app"`
	// Role is the kind of workload.
	Role Role `yaml:"role"`
	// Deploy says whether norn deploy ships the app. Default true.
	Deploy bool `yaml:"deploy"`
	// Core marks an app that others depend on. norn does not act on it.
	Core bool `yaml:"core"`
	// Port is the port the container listens on, 1 to 65535. Needed for a webserver.
	Port int `yaml:"port"`
	// Healthcheck is the HTTP path that the probes get, such as /healthz.
	Healthcheck string `yaml:"healthcheck"`
	// Replicas is the number of pods. Default 1.
	Replicas int `yaml:"replicas"`
	// Command replaces the image's entrypoint: a string goes through /bin/sh -c, a list is run as it is.
	Command Command `yaml:"command"`
	// Schedule is a cron app's schedule in cron syntax.
	Schedule string `yaml:"schedule"`
	// Timeout bounds one run of a cron app; seconds, or a duration such as 10m.
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
	// Env are plain environment variables.
	Env map[string]string `yaml:"env"`
	// Alerts is accepted for the original system's sake. norn does not act on it.
	Alerts Alerts `yaml:"alerts"`
	// Function holds the settings of a function app.
	Function FunctionSpec `yaml:"function"`
	// Resources are Kubernetes' requests and limits for the container.
	Resources Resources `yaml:"resources"`

	path string
}

// Path is the file the spec was loaded from, or "" for bytes without a file.
func (s *Spec) Path() string { return s.path }

// Hosts are an app's host names.
type Hosts struct {
	// External is the public host name that the tunnel routes to the app.
	External string `yaml:"external"`
	// Internal is the name of the app's Service inside the cluster.
	Internal string `yaml:"internal"`
}

// Build says how an app's image is made.
type Build struct {
	// Dockerfile is the Dockerfile's path, from the folder of infraspec.yaml. Default Dockerfile.
	Dockerfile string `yaml:"dockerfile"`
	// Test is a shell command run in the source after the build; it must exit 0.
	Test string `yaml:"test"`
}

// Repo is an app's source repository.
type Repo struct {
	// URL is the repository's HTTPS or SSH address.
	URL string `yaml:"url"`
	// Branch is what is deployed when no ref is named. Default main.
	Branch string `yaml:"branch"`
	// AutoDeploy is accepted for the original system's sake. norn does not act on it.
	AutoDeploy bool `yaml:"autoDeploy"`
	// RepoWeb is the repository's page for people.
	RepoWeb string `yaml:"repoWeb"`
	// WebhookSecret is accepted for the original system's sake. norn does not act on it.
	WebhookSecret string `yaml:"webhookSecret"`
}

// Services are what an app needs from elsewhere. norn acts on Postgres only.
type Services struct {
	Postgres *Postgres `yaml:"postgres"`
	KV       *KV       `yaml:"kv"`
	Events   *Events   `yaml:"events"`
	Storage  *Storage  `yaml:"storage"`
}

// Postgres is the app's database.
type Postgres struct {
	// Database is the database's name; it goes into DATABASE_URL.
	Database string `yaml:"database"`
	// Migrations is the folder of migration files, for the app's own use.
	Migrations string `yaml:"migrations"`
}

// KV is a key-value namespace. norn does not act on it.
type KV struct {
	Namespace string `yaml:"namespace"`
}

// Events are message topics. norn does not act on them.
type Events struct {
	Topics []string `yaml:"topics"`
}

// Storage is an object store's bucket. norn does not act on it.
type Storage struct {
	Bucket   string `yaml:"bucket"`
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
	// Retain is how many revisions and images are kept. Default 5.
	Retain int `yaml:"retain"`
}

// Volume is one mount: a claim of its own (Size) or a folder of the node (HostPath).
type Volume struct {
	// Name is the volume's name, a DNS label.
	Name string `yaml:"name"`
	// MountPath is where the container sees it; absolute.
	MountPath string `yaml:"mountPath"`
	// Size makes a PersistentVolumeClaim <app>-<name> of that size.
	Size string `yaml:"size"`
	// HostPath mounts a folder of the node; it wins over Size.
	HostPath string `yaml:"hostPath"`
}

// Alerts is accepted for the original system's sake.
type Alerts struct {
	// Window is the span failures are counted over. Default 5m.
	Window Seconds `yaml:"window"`
	// Threshold is how many failures in the window raise an alert. Default 3.
	Threshold int `yaml:"threshold"`
}

// FunctionSpec holds the settings of a function app.
type FunctionSpec struct {
	// Timeout bounds one call; seconds, or a duration. Default 30.
	Timeout Seconds `yaml:"timeout"`
	// Trigger is what calls it. Default http.
	Trigger string `yaml:"trigger"`
	// Memory is the container's memory limit. Default 256m.
	Memory string `yaml:"memory"`
}

// Resources are Kubernetes' requests and limits, by resource name.
type Resources struct {
	Requests map[string]string `yaml:"requests"`
	Limits   map[string]string `yaml:"limits"`
}

// Command is a command line. It is written as a string, run by /bin/sh -c, or as a list, run as it is.
type Command []string

// Seconds is a span of time, written in the file as whole seconds or as a Go duration.
type Seconds time.Duration

// Duration is s as a time.Duration.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

func defaults() *Spec {
	return &Spec{
		Deploy:    true,
		Replicas:  1,
		Build:     Build{Dockerfile: "Dockerfile"},
		Repo:      Repo{Branch: "main"},
		Artifacts: Artifacts{Retain: 5},
		Alerts:    Alerts{Window: Seconds(5 * time.Minute), Threshold: 3},
		Function:  FunctionSpec{Timeout: Seconds(30 * time.Second), Trigger: "http", Memory: "256m"},
	}
}
