output "cluster_name" {
  description = "Name of the cluster; known when planning."
  value       = azurerm_kubernetes_cluster.this.name
}

output "cluster_id" {
  description = "Identifier of the cluster in the cloud."
  value       = azurerm_kubernetes_cluster.this.id
}

output "endpoint" {
  description = "Address of the cluster's API."
  value       = "https://${local.private ? azurerm_kubernetes_cluster.this.private_fqdn : azurerm_kubernetes_cluster.this.fqdn}:443"
}

output "ca_certificate" {
  description = "Certificate that the API is known by, in base64."
  value       = nonsensitive(azurerm_kubernetes_cluster.this.kube_config[0].cluster_ca_certificate)
}

output "version" {
  description = "Version of Kubernetes that runs."
  value       = azurerm_kubernetes_cluster.this.current_kubernetes_version
}
