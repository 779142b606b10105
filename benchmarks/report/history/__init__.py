"""Many runs over time and machines: lines of points, the places where they change, and one page of both."""
