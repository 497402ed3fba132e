mock_provider "aws" {}

variables {
  name       = "web"
  subnet_ids = ["subnet-11111111"]
}

run "takes_the_newest_build_of_a_named_image" {
  command = plan

  override_data {
    target = data.aws_ami.this[0]
    values = { id = "ami-0abc1234def567890" }
  }

  assert {
    condition     = aws_instance.this[0].ami == "ami-0abc1234def567890" && aws_instance.this[0].instance_type == "t3.small"
    error_message = "machine is ${aws_instance.this[0].instance_type} from ${aws_instance.this[0].ami}"
  }
}

run "takes_images_and_sizes_of_the_cloud_as_they_are" {
  command = plan

  variables {
    image = "ami-0abc1234def567890"
    size  = "c7i.2xlarge"
  }

  assert {
    condition     = length(data.aws_ami.this) == 0 && aws_instance.this[0].instance_type == "c7i.2xlarge"
    error_message = "machine is ${aws_instance.this[0].instance_type} from ${aws_instance.this[0].ami}"
  }
}

run "refuses_an_image_it_does_not_know" {
  command = plan

  variables {
    image = "windows-95"
  }

  expect_failures = [var.image]
}

run "refuses_a_size_it_does_not_know" {
  command = plan

  variables {
    size = "gigantic"
  }

  expect_failures = [var.size]
}

run "refuses_part_of_a_machine" {
  command = plan

  variables {
    instance_count = 1.5
  }

  expect_failures = [var.instance_count]
}

run "refuses_machines_without_a_subnet" {
  command = plan

  variables {
    subnet_ids = []
  }

  expect_failures = [var.subnet_ids]
}

run "refuses_a_private_key" {
  command = plan

  variables {
    ssh_public_key = "-----BEGIN OPENSSH PRIVATE KEY-----"
  }

  expect_failures = [var.ssh_public_key]
}

run "refuses_a_subnet_that_makes_machines_public" {
  command = plan

  override_data {
    target = data.aws_subnet.private[0]
    values = { map_public_ip_on_launch = true }
  }

  expect_failures = [data.aws_subnet.private]
}
