# Virtual machines of one kind, spread over subnets, and the inventory that
# configures them. Disks are encrypted and nothing has a public address unless
# asked for.
# ISO 27001: A.8.5, A.8.9, A.8.20, A.8.24

locals {
  # Images by the names they have on every cloud.
  images = {
    "ubuntu-24.04"      = { owner = "099720109477", name = "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*", user = "ubuntu" }
    "debian-12"         = { owner = "136693071363", name = "debian-12-amd64-*", user = "admin" }
    "amazon-linux-2023" = { owner = "137112412989", name = "al2023-ami-2023.*-kernel-6.1-x86_64", user = "ec2-user" }
  }
  sizes = { small = "t3.small", medium = "t3.medium", large = "m6i.large", xlarge = "m6i.xlarge" }

  image = lookup(local.images, var.image, null)
  user  = coalesce(var.user, try(local.image.user, null), "ec2-user")

  # By way of the check below, so that no machine starts before it has passed.
  subnet_ids = var.public ? var.subnet_ids : data.aws_subnet.private[*].id
}

data "aws_ami" "this" {
  count = local.image == null ? 0 : 1

  most_recent = true
  owners      = [local.image.owner]

  filter {
    name   = "name"
    values = [local.image.name]
  }
}

# Without this check a subnet of the default network would give out public
# addresses that nobody asked for.
data "aws_subnet" "private" {
  count = var.public ? 0 : length(var.subnet_ids)

  id = var.subnet_ids[count.index]

  lifecycle {
    postcondition {
      condition     = !self.map_public_ip_on_launch
      error_message = "Subnet ${self.id} gives its machines public addresses. Name a private subnet, or set public = true."
    }
  }
}

# What a machine is born with. A newer build of the same image must not replace
# machines, nor must an address that went while a machine was stopped; asking
# for another image or for public addresses must.
resource "terraform_data" "birth" {
  input = { image = var.image, public = var.public }
}

resource "aws_key_pair" "this" {
  count = var.ssh_public_key == null ? 0 : 1

  key_name   = var.name
  public_key = var.ssh_public_key
  tags       = var.tags
}

resource "aws_instance" "this" {
  count = var.instance_count

  ami                         = local.image == null ? var.image : data.aws_ami.this[0].id
  instance_type               = lookup(local.sizes, var.size, var.size)
  subnet_id                   = local.subnet_ids[count.index % length(var.subnet_ids)]
  vpc_security_group_ids      = var.security_group_ids
  associate_public_ip_address = var.public ? true : null
  key_name                    = one(aws_key_pair.this[*].key_name)
  tags                        = merge(var.tags, { Name = "${var.name}-${count.index + 1}" })

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = var.disk_gb
    tags        = merge(var.tags, { Name = "${var.name}-${count.index + 1}" })
  }

  lifecycle {
    ignore_changes       = [ami, associate_public_ip_address]
    replace_triggered_by = [terraform_data.birth]
  }
}
