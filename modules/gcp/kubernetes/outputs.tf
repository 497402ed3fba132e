output "cluster_name" {
  description = "Name of the cluster; known when planning."
  value       = google_container_cluster.this.name
}

output "cluster_id" {
  description = "Identifier of the cluster in the cloud."
  value       = google_container_cluster.this.id
}

output "endpoint" {
  description = "Address of the cluster's API."
  value       = "https://${google_container_cluster.this.endpoint}"
}

output "ca_certificate" {
  description = "Certificate that the API is known by, in base64."
  value       = google_container_cluster.this.master_auth[0].cluster_ca_certificate
}

output "version" {
  description = "Version of Kubernetes that runs."
  value       = google_container_cluster.this.master_version
}
