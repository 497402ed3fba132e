output "bucket_name" {
  description = "Name of the bucket; known when planning."
  value       = google_storage_bucket.this.name
}

output "bucket_id" {
  description = "Identifier of the bucket in the cloud."
  value       = google_storage_bucket.this.id
}

output "url" {
  description = "Address of the bucket."
  value       = "https://storage.googleapis.com/${google_storage_bucket.this.name}"
}
