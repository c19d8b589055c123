// Package infraspec parses an infraspec.yaml into a validated Spec with defaults,
// or reports every mistake with its position in the file. It does not know
// Kubernetes objects or a cluster.
package infraspec

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// The types below are the only description of the file: the decoder reads their tags (required, default, minimum,
// maximum, enum), and schema.json and docs/infraspec.md are generated from the tags and the comments.
//
//go:generate go run ./schemagen

// Role is the kind of workload of an app.
type Role string

// The roles an app can have.
const (
	Webserver Role = "webserver" // a Deployment with a port, probes and an optional Service
	Worker    Role = "worker"    // a Deployment without a port
	Cron      Role = "cron"      // a CronJob
	Function  Role = "function"  // a Job for each call, with no running pods between calls
)

// Standing reports whether apps of the role have Pods that run all the time.
func (r Role) Standing() bool { return r == Webserver || r == Worker }

// Spec is an infraspec.yaml with its defaults filled in.
type Spec struct {
	// App is the app's name, a DNS label. All objects are named after it.
	App string `yaml:"app" jsonschema:"required,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$,maxLength=63"`
	// Role is the kind of workload: a webserver has a port, a worker has none, a cron app runs on a schedule, and a
	// function runs when it is invoked.
	Role Role `yaml:"role" jsonschema:"required,enum=webserver,enum=worker,enum=cron,enum=function"`
	// Deploy is false for an app that norn deploy must refuse to deploy.
	Deploy bool `yaml:"deploy" jsonschema:"default=true"`
	// Core is true for a part of the system itself. norn ignores it.
	Core bool `yaml:"core"`
	// Runtime is what runs the container: docker or incus. norn ignores it.
	Runtime string `yaml:"runtime"`
	// Target is the machine that runs the app, in target.worker. norn ignores it.
	Target Target `yaml:"target"`
	// Port is the port that the container listens on. Required for a webserver.
	Port int `yaml:"port" jsonschema:"minimum=1,maximum=65535"`
	// Healthcheck is how Kubernetes checks a webserver or a worker: an HTTP path, such as /healthz, or a mapping.
	Healthcheck Healthcheck `yaml:"healthcheck"`
	// Drain is how long a webserver's Pod still answers after it has left the Service, so that no request is lost. 0s
	// turns it off.
	Drain Delay `yaml:"drain" jsonschema:"default=5s"`
	// Stop is how long the app may take to end after SIGTERM. Kubernetes then kills it.
	Stop Seconds `yaml:"stop" jsonschema:"default=30s"`
	// Replicas is the number of pods of a webserver or a worker.
	Replicas int `yaml:"replicas" jsonschema:"default=1,minimum=0,maximum=10000"`
	// Command replaces the image's entrypoint. norn runs a string with /bin/sh -c, and a list as it is.
	Command Command `yaml:"command"`
	// Schedule is when a cron app runs, in cron syntax: "0 3 * * *", or "@hourly", "@daily", "@weekly", "@monthly",
	// "@yearly" or "@every 6h". Quote it: YAML gives * and @ a meaning. Required for a cron app.
	Schedule string `yaml:"schedule"`
	// Timezone is the time zone of schedule, such as Europe/Berlin. The default is the cluster's, which is mostly UTC.
	Timezone string `yaml:"timezone"`
	// Timeout is the time limit of one run of a cron app.
	Timeout Seconds `yaml:"timeout"`
	// Hosts are the app's host names.
	Hosts Hosts `yaml:"hosts"`
	// Route is how requests for hosts.external reach the app: through a Gateway or an Ingress. The default is the
	// Cloudflare tunnel. See docs/routes.md.
	Route Route `yaml:"route"`
	// Build is how the image is built from the source.
	Build Build `yaml:"build"`
	// Repo is the source repository. The default is the folder of this file.
	Repo Repo `yaml:"repo"`
	// Services are the services that the app depends on.
	Services Services `yaml:"services"`
	// Secrets are the names of values in secrets.enc.yaml. The app gets them as environment variables. As a mapping,
	// NAME: {from: SECRET/KEY} takes the value from another Secret, and NAME: {file: PATH} makes it a file.
	Secrets SecretNames `yaml:"secrets"`
	// Migrations is the migration that runs before the rollout of a new version.
	Migrations Migrations `yaml:"migrations"`
	// Verify is a command that must end with exit code 0 before a new version gets requests. norn deploy runs it in the
	// new image, against a pod of the new version that no Service selects, and whose address is in NORN_TARGET. See
	// docs/deploy.md.
	Verify Command `yaml:"verify"`
	// Artifacts is how many old versions norn keeps.
	Artifacts Artifacts `yaml:"artifacts"`
	// Volumes are the volumes mounted in the container. With a claim (size), all pods of a version end before the next
	// version starts (strategy Recreate), so each deploy has a short outage. With access: ReadWriteMany, it has none.
	Volumes []Volume `yaml:"volumes"`
	// Env are plain environment variables, with values as written: $(NAME) is not expanded. List secret ones under
	// secrets.
	Env map[string]string `yaml:"env"`
	// Processes are further processes of the app, by name, such as a worker beside a webserver. They run the app's image,
	// and are deployed and restored together with it. Their objects are named <app>-<process>. See docs/processes.md.
	Processes map[string]Process `yaml:"processes"`
	// Alerts are the window and the threshold for counting failures. norn ignores them.
	Alerts Alerts `yaml:"alerts"`
	// Function are the settings of a function app.
	Function FunctionSpec `yaml:"function"`
	// Resources are the container's requests and limits in Kubernetes.
	Resources Resources `yaml:"resources"`
	// Pod are settings of the app's Pods, those of its Jobs included.
	Pod Pod `yaml:"pod"`
	// Needs are the apps that norn changes before this one if it changes all, with --all.
	Needs []string `yaml:"needs" jsonschema:"pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$,uniqueItems=true"`
	// Overlay is the path of a file with partial Kubernetes objects, relative to the folder of infraspec.yaml. norn merges
	// them into the objects that it makes. See docs/overlay.md.
	Overlay string `yaml:"overlay"`
	// Environments are where the app runs, by name, such as staging and production. Each is a partial infraspec that norn
	// lays over this one. Choose one with --env or NORN_ENV. See docs/environments.md.
	Environments map[string]Environment `yaml:"environments"`

	// Environment is the environment whose settings this Spec has, such as staging or preview/pr-12, or "". See In.
	Environment string `jsonschema:"-"`
	// Process is the process that this Spec describes: "" for the app's main one. See Workloads.
	Process string `jsonschema:"-"`
	// SecretSources are the secrets with from or file, by name.
	SecretSources map[string]SecretSource `jsonschema:"-"`

	doc     *document
	overlay *OverlayFile
	laid    map[string]*Spec // the infraspec in each environment
	found   []Finding        // the findings about the infraspec with an environment laid over it
	base    string           // the app that a preview is a copy of
	// lay lays an environment over the infraspec, for the preview unless that is "". It returns the findings that do not
	// apply without the environment. choice names both.
	lay func(environment, preview, choice string) (*Spec, []Finding)
}

// Path returns the file that the spec was loaded from, as the caller named it.
func (s *Spec) Path() string { return s.doc.file }

// Target is the machine that runs an app. norn ignores it.
type Target struct {
	// Worker is the name of a worker machine.
	Worker string `yaml:"worker"`
}

// Hosts are an app's host names.
type Hosts struct {
	// External is the app's public host name, or a list of them. The route leads from there to the app. It requires
	// hosts.internal.
	External Names `yaml:"external"`
	// Internal is the name of the app's Service inside the cluster.
	Internal string `yaml:"internal" jsonschema:"pattern=^([a-z]([-a-z0-9]*[a-z0-9])?)?$,maxLength=63"`
}

// Build is how an app's image is built.
type Build struct {
	// Dockerfile is the path of the Dockerfile, relative to the folder of infraspec.yaml.
	Dockerfile string `yaml:"dockerfile" jsonschema:"default=Dockerfile"`
	// Context is the folder that the Dockerfile copies from, relative to the folder of infraspec.yaml. It may be above
	// that folder, such as .. for code that several apps share, but not outside the repository.
	Context string `yaml:"context" jsonschema:"default=."`
	// Target is the stage of the Dockerfile to build. The default is the last one.
	Target string `yaml:"target"`
	// Args are build args, with values as written. Do not put secrets there: the image's history may show them.
	Args map[string]string `yaml:"args"`
	// Platforms are the platforms of the image, such as [linux/amd64, linux/arm64]. norn pushes images for several
	// platforms as one index. The default is one platform of the nodes. If they have others too, the pods run only on
	// nodes of that platform.
	Platforms []string `yaml:"platforms" jsonschema:"pattern=^(linux|windows)/[a-z0-9]+(/v[0-9]+)?$,uniqueItems=true"`
	// Test is a shell command that runs in the source folder after the build. It must exit with 0.
	Test string `yaml:"test"`
}

// Repo is an app's source repository.
type Repo struct {
	// URL is the repository's HTTPS or SSH address.
	URL string `yaml:"url"`
	// Branch is the branch that norn deploys if you name no ref.
	Branch string `yaml:"branch" jsonschema:"default=main"`
	// AutoDeploy is true if a webhook deploys each push. norn ignores it.
	AutoDeploy bool `yaml:"autoDeploy"`
	// RepoWeb is the address of the repository's web page. norn ignores it.
	RepoWeb string `yaml:"repoWeb"`
	// WebhookSecret is the secret that a webhook's sender shares with the server. norn ignores it.
	WebhookSecret string `yaml:"webhookSecret"`
}

// Services are the services that an app depends on. norn uses only Postgres.
type Services struct {
	// Postgres is the app's database. The app gets a DATABASE_URL, unless env or secrets already sets it.
	Postgres *Postgres `yaml:"postgres"`
	// KV is a key-value namespace. norn ignores it.
	KV *KV `yaml:"kv"`
	// Events are message topics. norn ignores them.
	Events *Events `yaml:"events"`
	// Storage is a bucket in an object store. norn ignores it.
	Storage *Storage `yaml:"storage"`
}

// Postgres is the app's database.
type Postgres struct {
	// Database is the name of the database in DATABASE_URL.
	Database string `yaml:"database" jsonschema:"required,minLength=1"`
	// Migrations is the folder of migration files. norn ignores it.
	Migrations string `yaml:"migrations"`
}

// KV is a key-value namespace. norn ignores it.
type KV struct {
	// Namespace is the name of the namespace.
	Namespace string `yaml:"namespace"`
}

// Events are message topics. norn ignores them.
type Events struct {
	// Topics are the names of the topics.
	Topics []string `yaml:"topics"`
}

// Storage is a bucket in an object store. norn ignores it.
type Storage struct {
	// Bucket is the name of the bucket.
	Bucket string `yaml:"bucket"`
	// Provider is the provider of the object store.
	Provider string `yaml:"provider"`
}

// Migrations is the migration that runs before a rollout.
type Migrations struct {
	// Command is the command that runs in the new image, with the app's env and secrets.
	Command Command `yaml:"command"`
	// Database is the database that norn dumps before the migration. The name is part of the dump's file name.
	Database string `yaml:"database" jsonschema:"pattern=^[A-Za-z0-9_-]*$,maxLength=63"`
}

// Artifacts is how many old versions norn keeps.
type Artifacts struct {
	// Retain is the number of revisions and images that norn keeps.
	Retain int `yaml:"retain" jsonschema:"default=5,minimum=1,maximum=10000"`
}

// Volume is a mounted volume: a PersistentVolumeClaim (Size) or a folder of the node (HostPath).
type Volume struct {
	// Name is the volume's name, a DNS label.
	Name string `yaml:"name" jsonschema:"required,pattern=^[a-z0-9]([-a-z0-9]*[a-z0-9])?$,maxLength=63"`
	// MountPath is the absolute path of the volume in the container.
	MountPath string `yaml:"mountPath" jsonschema:"required,pattern=^/"`
	// Size is the size of the PersistentVolumeClaim <app>-<name> that norn creates.
	Size Quantity `yaml:"size"`
	// Class is the StorageClass of the claim. The default is the cluster's. A claim keeps its class.
	Class string `yaml:"class"`
	// Access is the access mode of the claim: ReadWriteOnce, the default, lets the Pods of one node mount it;
	// ReadWriteMany, those of all nodes, if the class supports it; ReadWriteOncePod, a single Pod. A claim keeps its
	// access.
	Access Access `yaml:"access" jsonschema:"enum=ReadWriteOnce,enum=ReadWriteMany,enum=ReadWriteOncePod"`
	// HostPath is the absolute path of a folder on the node to mount. It takes precedence over size. Folders that
	// control the node are an error, and folders outside NORN_HOST_PATHS a warning.
	HostPath string `yaml:"hostPath" jsonschema:"pattern=^(/|$)"`
}

// Alerts are the window and the threshold for counting failures. norn ignores them.
type Alerts struct {
	// Window is the time span in which failures are counted.
	Window Seconds `yaml:"window" jsonschema:"default=5m"`
	// Threshold is the number of failures in the window that raises an alert.
	Threshold int `yaml:"threshold" jsonschema:"default=3,minimum=1,maximum=10000"`
}

// FunctionSpec is the settings of a function app.
type FunctionSpec struct {
	// Timeout is the time limit of one call.
	Timeout Seconds `yaml:"timeout" jsonschema:"default=30"`
	// Trigger is what calls the function. norn ignores it.
	Trigger string `yaml:"trigger" jsonschema:"default=http"`
	// Memory is the container's memory limit.
	Memory Memory `yaml:"memory" jsonschema:"default=256m"`
}

// Resources are requests and limits in Kubernetes, by resource name.
type Resources struct {
	// Requests are the amounts that the scheduler reserves for the container, such as cpu: 100m.
	Requests map[string]Quantity `yaml:"requests"`
	// Limits are the amounts that the container must not exceed, such as memory: 128Mi.
	Limits map[string]Quantity `yaml:"limits"`
}

// Command is a command line: in the file either a string to run with /bin/sh -c, or a list to run as it is.
type Command []string

// InShell reports whether c runs with /bin/sh -c, as a string in the file does.
func (c Command) InShell() bool { return len(c) == 3 && c[0] == "/bin/sh" && c[1] == "-c" }

// Seconds is a duration, in the file either whole seconds or a Go duration.
type Seconds time.Duration

// Duration returns s as a time.Duration.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// Quantity is an amount in the syntax of Kubernetes, such as 250m or 128Mi (k8s.io/apimachinery: resource.Quantity).
type Quantity string

// Value returns q as a resource.Quantity. A Quantity of a Spec is always valid.
func (q Quantity) Value() resource.Quantity { return resource.MustParse(string(q)) }

// Memory is an amount of memory in the syntax of docker run --memory (256m is 256 MiB) or of Kubernetes.
type Memory string
