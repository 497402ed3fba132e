output "log_group_id" {
  description = "Identifier of the log bucket in the cloud."
  value       = google_logging_project_bucket_config.this.id
}

output "log_group_name" {
  description = "Name of the log bucket; known when planning."
  value       = google_logging_project_bucket_config.this.bucket_id
}

output "topic_id" {
  description = "Identifier of the first notification channel that alerts go to; null without alert_emails."
  value       = try(google_monitoring_notification_channel.email[0].id, null)
}
