output "host" {
  description = "Address of the server inside the network."
  value       = google_compute_address.this.address
}

output "port" {
  description = "Port of the server."
  value       = local.port
}

output "database" {
  description = "Name of the database."
  value       = var.database
}

output "username" {
  description = "Name of the user."
  value       = var.username
}

output "password" {
  description = "Password of the user."
  value       = random_password.this.result
  sensitive   = true
}

output "url" {
  description = "Address with user and password, as drivers take it."
  value       = local.postgres ? "postgres://${var.username}:${random_password.this.result}@${google_compute_address.this.address}:5432/${var.database}?sslmode=require" : "mysql://${var.username}:${random_password.this.result}@${google_compute_address.this.address}:3306/${var.database}?ssl-mode=REQUIRED"
  sensitive   = true
}

output "instance_id" {
  description = "Identifier of the server."
  value       = google_sql_database_instance.this.id
}
