# A PostgreSQL or MySQL database with backups in private subnets. Its disk is
# encrypted, clients must speak TLS and only named address blocks reach it. A
# last snapshot stays when it is destroyed.
#
# ISO 27001: A.5.15, A.5.17, A.8.13, A.8.14, A.8.15, A.8.20, A.8.22, A.8.24

locals {
  # What differs between the engines. Each forces TLS by a setting of its own.
  engines = {
    postgres = { version = "17", port = 5432, scheme = "postgres", tls = "sslmode=require", force_tls = "rds.force_ssl", logs = ["postgresql", "upgrade"] }
    mysql    = { version = "8.4", port = 3306, scheme = "mysql", tls = "ssl-mode=REQUIRED", force_tls = "require_secure_transport", logs = ["error"] }
  }
  sizes = { small = "db.t4g.small", medium = "db.t4g.medium", large = "db.m7g.large" }

  engine         = local.engines[var.engine]
  engine_version = coalesce(var.engine_version, local.engine.version)

  # Settings belong to a line of versions: postgres17, mysql8.4.
  numbers = split(".", local.engine_version)
  family  = "${var.engine}${join(".", slice(local.numbers, 0, min(length(local.numbers), var.engine == "postgres" ? 1 : 2)))}"

  size = lookup(local.sizes, var.size, var.size)

  # The smallest machines have no room for Performance Insights.
  insights = !can(regex("\\.(micro|small)$", local.size))

  tags = merge(var.tags, { Name = var.name })
}

resource "aws_db_instance" "this" {
  identifier     = var.name
  engine         = var.engine
  engine_version = local.engine_version
  instance_class = local.size
  db_name        = var.database
  port           = local.engine.port
  multi_az       = var.high_availability
  tags           = local.tags

  username                            = var.username
  password                            = terraform_data.password.triggers_replace
  iam_database_authentication_enabled = true

  storage_type      = "gp3"
  allocated_storage = var.storage_gb
  storage_encrypted = true
  kms_key_id        = var.encryption_key_id

  publicly_accessible    = false
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  parameter_group_name   = aws_db_parameter_group.this.name

  backup_retention_period   = var.backup_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-final-${substr(terraform_data.password.id, 0, 8)}"

  # What a plan says happens when it is applied, not in the next quiet hour.
  apply_immediately           = true
  auto_minor_version_upgrade  = true
  allow_major_version_upgrade = true

  performance_insights_enabled    = local.insights
  performance_insights_kms_key_id = local.insights ? var.encryption_key_id : null
  enabled_cloudwatch_logs_exports = local.engine.logs

  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Subnets of the database ${var.name}"
  subnet_ids  = var.subnet_ids
  tags        = local.tags
}

# Named after its family, since a new major version needs a group beside the
# one still in use.
resource "aws_db_parameter_group" "this" {
  name        = "${var.name}-${replace(local.family, ".", "-")}"
  family      = local.family
  description = "Settings of the database ${var.name}"
  tags        = local.tags

  parameter {
    name  = local.engine.force_tls
    value = "1"
  }

  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = var.engine == "postgres" || length(local.numbers) > 1
      error_message = "engine_version of mysql must have two numbers at least, such as 8.4."
    }
  }
}

# The cloud would make these by itself and keep them forever.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(local.engine.logs)

  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = 365
  tags              = local.tags
}

# The password is made up once. It is kept where Terraform never prints it: not
# in the output of this resource and not in the identifier of anything.
resource "terraform_data" "password" {
  triggers_replace = sensitive(substr(sha256("${uuid()}${uuid()}"), 0, 40))

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}
