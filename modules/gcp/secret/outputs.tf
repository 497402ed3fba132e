output "secret_id" {
  description = "Identifier of the secret in the cloud."
  value       = google_secret_manager_secret.this.id
}

output "secret_name" {
  description = "Name of the secret; known when planning."
  value       = google_secret_manager_secret.this.secret_id
}

output "version" {
  description = "Version of the value, another one after each change."
  value       = google_secret_manager_secret_version.this.version
}
