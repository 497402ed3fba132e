output "function_name" {
  description = "Name of the function; known when planning."
  value       = google_cloudfunctions2_function.this.name
}

output "function_id" {
  description = "Identifier of the function in the cloud."
  value       = google_cloudfunctions2_function.this.id
}

output "url" {
  description = "Address at which everyone can call the function; null where it is not public."
  value       = var.public ? google_cloudfunctions2_function.this.service_config[0].uri : null
}

output "role_id" {
  description = "Identifier of what the function runs as (e-mail of its service account), to grant it more."
  value       = google_service_account.this.email
}
