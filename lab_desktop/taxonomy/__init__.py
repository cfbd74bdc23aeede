"""Step 1: people write leaves.

A leaf is a folder with a qna.yaml in InstructLab's format: knowledge version 3, or skills version 2 and 3 (version 1
skills are read too). The documents of a knowledge leaf lie beside it, named by `document.patterns`; nothing is fetched.
An exam.yaml beside it, if there is one, holds questions that are asked before and after and never trained on.
`resources/practice/velmora` is a complete example.
"""
