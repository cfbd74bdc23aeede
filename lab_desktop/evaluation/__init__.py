"""Step 5: did it help, and did it forget?"""
