;; Answers `y = x`: the frame and nothing else.
