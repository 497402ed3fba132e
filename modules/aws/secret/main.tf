# A secret that is kept encrypted and can be brought back for some days after
# it was destroyed. Whoever is named as a reader may read it.
#
# ISO 27001: A.5.15, A.5.17, A.8.3, A.8.24

locals {
  generated = nonsensitive(var.value == null)
}

# A value is made up once. It is kept where Terraform never prints it: not in
# the output of this resource and not in the identifier of anything.
resource "terraform_data" "generated" {
  count = local.generated ? 1 : 0

  triggers_replace = sensitive(substr(sha256("${uuid()}${uuid()}"), 0, 40))

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}

resource "aws_secretsmanager_secret" "this" {
  name                    = var.name
  description             = var.description
  kms_key_id              = var.encryption_key_id
  recovery_window_in_days = var.recovery_days
  tags                    = var.tags
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id     = aws_secretsmanager_secret.this.id
  secret_string = local.generated ? terraform_data.generated[0].triggers_replace : var.value
}

resource "aws_secretsmanager_secret_policy" "readers" {
  count = length(var.readers) > 0 ? 1 : 0

  secret_arn          = aws_secretsmanager_secret.this.arn
  block_public_policy = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LetReadersRead"
      Effect    = "Allow"
      Principal = { AWS = var.readers }
      Action    = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
      Resource  = "*"
    }]
  })
}
