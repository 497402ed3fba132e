variables {
  name = "world"
}

run "greets_by_name" {
  assert {
    condition     = output.message == "Hello, world!"
    error_message = "message is ${output.message}"
  }
}

run "keeps_its_identity_when_the_text_changes" {
  variables {
    text = "Good evening"
  }

  assert {
    condition     = output.message == "Good evening, world!"
    error_message = "message is ${output.message}"
  }
  assert {
    condition     = output.id == run.greets_by_name.id
    error_message = "the greeting was replaced"
  }
}

run "knows_the_message_before_apply" {
  command = plan

  variables {
    name = "moon"
  }

  assert {
    condition     = output.message == "Hello, moon!"
    error_message = "message is ${output.message}"
  }
}

run "refuses_an_empty_name" {
  command = plan

  variables {
    name = " "
  }

  expect_failures = [var.name]
}
