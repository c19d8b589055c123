package image

// Loader returns the command that loads an image archive into a local cluster of this kind.
func Loader(kind, cluster, archive string) (name string, args []string) {
	switch kind {
	case "kind":
		return "kind", []string{"load", "image-archive", archive, "--name", cluster}
	case "k3d":
		return "k3d", []string{"image", "import", archive, "--cluster", cluster}
	case "minikube":
		return "minikube", []string{"image", "load", archive, "--profile", cluster}
	case "k3s":
		return "k3s", []string{"ctr", "images", "import", archive}
	case "devcluster":
		return "devcluster", []string{"load", archive}
	default:
		return "ctr", []string{"--namespace", "k8s.io", "images", "import", archive}
	}
}
