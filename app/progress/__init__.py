"""What a learner has shown: attempts, help used, figures per track and skill."""
