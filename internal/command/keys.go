package command

import (
	"os"
	"slices"
)

// KeyVariables returns the names of the variables that contain norn's own keys. No child process gets them.
func KeyVariables() []string { return []string{"SOPS_AGE_KEY", "NORN_GIT_TOKEN"} }

// Credentials returns the names of the variables that contain credentials for clouds, key services and registries, or
// with which a program gets such credentials. SOPS decrypts files with them, and builders, git and credential plugins
// log in with them. A CI job's tokens that only fetch code and packages, such as CI_JOB_TOKEN, are not among them:
// tests may need those.
func Credentials() []string {
	return []string{
		"SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_CMD", "VAULT_TOKEN", "DOCKER_AUTH_CONFIG",
		"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN",
		"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD", "IDENTITY_HEADER", "MSI_SECRET",
		"GOOGLE_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN",
		"HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", // of GitHub Actions: proves the job's identity
		"SYSTEM_ACCESSTOKEN", // of Azure Pipelines: the same
	}
}

// Protect keeps other processes of the same user, such as the tests that norn runs, from reading the keys and the
// memory of this process. It also disables core dumps. This process keeps its variables. On systems other than Linux,
// Protect does nothing.
func Protect() {
	names := slices.DeleteFunc(slices.Concat(KeyVariables(), Credentials()), func(name string) bool {
		return os.Getenv(name) == ""
	})
	if len(names) > 0 {
		hideVariables(names)
	}
	hideMemory()
}
