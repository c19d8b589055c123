package rollout

// Reason names a failure with a stable word.
type Reason string

// The reasons a rollout fails for.
const (
	ImageNotFound     Reason = "ImageNotFound"     // the registry has no such image
	RegistryRefused   Reason = "RegistryRefused"   // the registry wants credentials that the node lacks
	ImagePull         Reason = "ImagePull"         // the node cannot get the image for another reason
	WrongArchitecture Reason = "WrongArchitecture" // the image is built for another kind of processor
	CommandNotFound   Reason = "CommandNotFound"   // the image has no such program
	CannotStart       Reason = "CannotStart"       // the container's command cannot be started
	CrashLoop         Reason = "CrashLoop"         // the container ends again and again
	OutOfMemory       Reason = "OutOfMemory"       // the container is killed at its memory limit
	MissingSecret     Reason = "MissingSecret"     // a Secret, or a key of it, is not there
	BadConfig         Reason = "BadConfig"         // another setting that the container needs is missing or forbidden
	Unschedulable     Reason = "Unschedulable"     // no node takes the pod
	VolumeNotBound    Reason = "VolumeNotBound"    // a claim has no volume
	VolumeNotMounted  Reason = "VolumeNotMounted"  // a volume cannot be mounted
	QuotaExceeded     Reason = "QuotaExceeded"     // a ResourceQuota refuses new pods
	PodsRefused       Reason = "PodsRefused"       // the API server refuses new pods for another reason
	PodLost           Reason = "PodLost"           // the node gave the pod up, such as by an eviction
	ProbeFailing      Reason = "ProbeFailing"      // the container runs and its readiness or startup probe does not pass
	LivenessKilled    Reason = "LivenessKilled"    // the container is killed by its liveness probe
	TimedOut          Reason = "TimedOut"          // norn's --timeout passed
	NoDeployment      Reason = "NoDeployment"      // the Deployment was deleted meanwhile
	stillStarting     Reason = "StillStarting"     // not a failure; the verdict before the first look
)
