output "bucket_name" {
  description = "Name of the container; known when planning."
  value       = azurerm_storage_container.this.name
}

output "bucket_id" {
  description = "Identifier of the container in the cloud."
  value       = azurerm_storage_container.this.id
}

output "url" {
  description = "Address of the container."
  value       = "${azurerm_storage_account.this.primary_blob_endpoint}${azurerm_storage_container.this.name}"
}
