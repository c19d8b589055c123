package rollout

// Reason is the stable name of a failure.
type Reason string

// The reasons why a rollout fails.
const (
	ImageNotFound     Reason = "ImageNotFound"     // the image does not exist
	RegistryRefused   Reason = "RegistryRefused"   // the registry asks for credentials that the node lacks
	ImagePull         Reason = "ImagePull"         // the node cannot pull the image for another reason
	WrongArchitecture Reason = "WrongArchitecture" // the image is built for another processor or platform
	CommandNotFound   Reason = "CommandNotFound"   // the image lacks the command's program
	CannotStart       Reason = "CannotStart"       // the container's command cannot start for another reason
	CrashLoop         Reason = "CrashLoop"         // the container keeps ending
	OutOfMemory       Reason = "OutOfMemory"       // the container is killed at its memory limit
	MissingSecret     Reason = "MissingSecret"     // a Secret, or a key of it, does not exist
	BadConfig         Reason = "BadConfig"         // another setting of the container is missing or forbidden
	Unschedulable     Reason = "Unschedulable"     // no node can run the pod
	VolumeNotBound    Reason = "VolumeNotBound"    // a claim has no volume
	VolumeNotMounted  Reason = "VolumeNotMounted"  // a volume cannot be mounted
	QuotaExceeded     Reason = "QuotaExceeded"     // a ResourceQuota forbids new pods
	PodsRefused       Reason = "PodsRefused"       // the API server refuses new pods for another reason
	PodLost           Reason = "PodLost"           // the nodes rejected or evicted the pod, for example by an eviction
	ProbeFailing      Reason = "ProbeFailing"      // the container runs, but its readiness or startup probe fails
	LivenessKilled    Reason = "LivenessKilled"    // the container is killed by its liveness probe
	TimedOut          Reason = "TimedOut"          // norn's --timeout passed
	NoDeployment      Reason = "NoDeployment"      // the Deployment was deleted
	VerifyFailed      Reason = "VerifyFailed"      // the infraspec's verify did not succeed
	stillStarting     Reason = "StillStarting"     // not a failure: the verdict before the first observation
)
