-- Libraries of learned actions and lessons, by content address. The same library may belong to several trials.
SELECT * FROM _libraries
