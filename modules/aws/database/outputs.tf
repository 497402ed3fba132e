output "host" {
  description = "Name of the host that the database is reached at, inside the network."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "Port of the database; known when planning."
  value       = local.engine.port
}

output "database" {
  description = "Name of the database; known when planning."
  value       = aws_db_instance.this.db_name
}

output "username" {
  description = "Who the database belongs to; known when planning."
  value       = aws_db_instance.this.username
}

output "password" {
  description = "Password of the user."
  value       = terraform_data.password.triggers_replace
  sensitive   = true
}

output "url" {
  description = "All of that in one line, as clients take it; the connection is encrypted."
  value       = "${local.engine.scheme}://${var.username}:${terraform_data.password.triggers_replace}@${aws_db_instance.this.address}:${local.engine.port}/${var.database}?${local.engine.tls}"
  sensitive   = true
}

output "instance_id" {
  description = "Identifier of the database server in the cloud."
  value       = aws_db_instance.this.identifier
}
